//! The value of a YAML scalar: by YAML 1.1 where `kubectl` follows it.

use granit_parser::{ScalarStyle, Tag};
use serde_json::{Number, Value};
use std::borrow::Cow;

pub(super) fn unknown(tag: &Tag) -> String {
    let tag = tag.original();
    format!("has the tag `{tag}`, which Kubernetes does not know")
}

pub(super) fn scalar_value(
    scalar: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
) -> Result<Value, String> {
    let resolved = |scalar: &str| {
        plain(scalar).ok_or_else(|| "has a number that JSON has no word for".to_owned())
    };
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => resolved(&scalar),
            ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Literal
            | ScalarStyle::Folded => Ok(Value::String(scalar.into_owned())),
        };
    };
    let Some(name) = tag.core_suffix() else {
        // A lone `!` marks a string.
        return match tag.original() == "!" {
            true => Ok(Value::String(scalar.into_owned())),
            false => Err(unknown(tag)),
        };
    };
    let value = resolved(&scalar)?;
    match (name, &value) {
        ("str", _) => Ok(Value::String(scalar.into_owned())),
        ("null", Value::Null) | ("bool", Value::Bool(_)) | ("float", Value::Number(_)) => Ok(value),
        ("int", Value::Number(number)) if !number.is_f64() => Ok(value),
        ("null" | "bool" | "int" | "float", _) => {
            Err(format!("has the tag `!!{name}` before something else"))
        }
        _ => Err(unknown(tag)),
    }
}

/// The value of an unquoted text. `None` for values that JSON cannot express: infinity and NaN.
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => return None,
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| float(&digits))
        }
        Some(b'.') => float(text),
        _ => None,
    };
    Some(number.map_or_else(|| Value::String(text.to_owned()), Value::Number))
}

/// Parses like Go's `ParseInt` with base 0 and then `ParseUint`.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.split_at_checked(1) {
        Some(("-", digits)) => (true, digits),
        Some(("+", digits)) => (false, digits),
        _ => (false, text),
    };
    let (base, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(two) if two.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Rust would accept another sign here.
    if !digits.starts_with(|first: char| first.is_digit(base)) {
        return None;
    }
    let signed = |digits: &str| i64::from_str_radix(&format!("-{digits}"), base);
    match negative {
        true => signed(digits).ok().map(Number::from),
        false => match u64::from_str_radix(digits, base).ok() {
            Some(_) if text.starts_with('+') => {
                i64::from_str_radix(digits, base).ok().map(Number::from)
            }
            number => number.map(Number::from),
        },
    }
}

/// Parses digits with a point or an exponent. Like in Go, a whole number has no point.
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let fits = all_digits(whole)
        && all_digits(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent));
    let number: f64 = text.parse().ok().filter(|_| fits)?;
    /// Up to this number a float represents every integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}
