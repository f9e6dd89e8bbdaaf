//! As much of CBOR as AWS's RPC v2 needs. <https://www.rfc-editor.org/rfc/rfc8949>
//!
//! A number in a member whose name ends in `Timestamp` is one of epoch seconds (tag 1).

use serde_json::{Map, Number, Value};

/// How deep a request may be.
const DEPTH: usize = 16;

/// Reads one value; `None` where it is not CBOR that AWS's clients send.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { bytes };
    let value = reader.value(DEPTH)?;
    reader.bytes.is_empty().then_some(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
}

/// How long an item is.
enum Length {
    Known(u64),
    /// Until a break.
    Open,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    /// The major type, the additional information, and the argument.
    fn head(&mut self) -> Option<(u8, u8, Length)> {
        let first = self.byte()?;
        let (major, more) = (first >> 5, first & 0x1f);
        let count = match more {
            0..=23 => return Some((major, more, Length::Known(u64::from(more)))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            31 => return Some((major, more, Length::Open)),
            _ => return None,
        };
        let bytes = self.take(count)?.iter();
        let argument = bytes.fold(0, |all, byte| (all << 8) | u64::from(*byte));
        Some((major, more, Length::Known(argument)))
    }

    fn ends(&mut self) -> bool {
        let ends = self.bytes.first() == Some(&0xff);
        if ends {
            self.bytes = &self.bytes[1..];
        }
        ends
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let (major, more, length) = self.head()?;
        Some(match (major, length) {
            (0, Length::Known(number)) => Value::from(number),
            (1, Length::Known(number)) => Value::from(-1 - i64::try_from(number).ok()?),
            (3, Length::Known(count)) => {
                let text = self.take(usize::try_from(count).ok()?)?;
                Value::from(std::str::from_utf8(text).ok()?)
            }
            (4, length) => Value::Array(self.items(&length, depth)?),
            (5, length) => Value::Object(self.members(&length, depth)?),
            (6, Length::Known(_)) => self.value(depth)?,
            (7, Length::Known(bits)) => match more {
                20 => Value::Bool(false),
                21 => Value::Bool(true),
                22 | 23 => Value::Null,
                26 => float(f64::from(f32::from_bits(u32::try_from(bits).ok()?)))?,
                27 => float(f64::from_bits(bits))?,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn is_done(&mut self, length: &Length, count: usize) -> bool {
        match length {
            Length::Open => self.ends(),
            Length::Known(all) => *all == count as u64,
        }
    }

    fn items(&mut self, length: &Length, depth: usize) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        while !self.is_done(length, items.len()) {
            items.push(self.value(depth)?);
        }
        Some(items)
    }

    fn members(&mut self, length: &Length, depth: usize) -> Option<Map<String, Value>> {
        let mut members = Map::new();
        let mut count = 0;
        while !self.is_done(length, count) {
            let name = self.value(depth)?.as_str()?.to_owned();
            members.insert(name, self.value(depth)?);
            count += 1;
        }
        Some(members)
    }
}

fn float(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}

/// Writes a value.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, false);
    bytes
}

fn write(bytes: &mut Vec<u8>, value: &Value, is_time: bool) {
    if is_time && value.is_number() {
        head(bytes, 6, 1);
    }
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(false) => bytes.push(0xf4),
        Value::Bool(true) => bytes.push(0xf5),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => head(bytes, 0, number),
            (None, Some(number)) => head(bytes, 1, (-1 - number).unsigned_abs()),
            (None, None) => {
                bytes.push(0xfb);
                let number = number.as_f64().unwrap_or_default();
                bytes.extend(number.to_bits().to_be_bytes());
            }
        },
        Value::String(text) => {
            head(bytes, 3, text.len() as u64);
            bytes.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(bytes, 4, items.len() as u64);
            items.iter().for_each(|item| write(bytes, item, false));
        }
        Value::Object(members) => {
            head(bytes, 5, members.len() as u64);
            for (name, member) in members {
                head(bytes, 3, name.len() as u64);
                bytes.extend(name.as_bytes());
                write(bytes, member, name.ends_with("Timestamp"));
            }
        }
    }
}

fn head(bytes: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match argument {
        0..=23 => bytes.push(major | argument.to_le_bytes()[0]),
        _ => {
            bytes.push(major | 27);
            bytes.extend(argument.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
