//! Finds in a line what makes it no YAML, where a reader of YAML only says what it expected.

use crate::text::placeholder;

/// The characters that no value without quotes begins with.
/// <https://yaml.org/spec/1.2.2/#rule-c-indicator>
const RESERVED: [char; 11] = ['@', '`', '%', '*', '&', '!', '|', '>', ']', '}', ','];

/// What is to be done with the line at which a file could not be read, or with the one before it,
/// in which the reader had not noticed anything yet. Lines are counted from one. No value is
/// quoted, as it may be a secret.
pub(super) fn hint(text: &str, line: usize) -> Option<String> {
    let at = |line: usize| text.lines().nth(line.checked_sub(1)?);
    let found = at(line).and_then(|content| begun(content).or_else(|| open(content)));
    found.or_else(|| glued_in(at(line)?)).or_else(|| {
        let before = at(line.checked_sub(1)?)?;
        let hint = open(before).or_else(|| glued_in(before))?;
        Some(format!("in line {} {hint}", line - 1))
    })
}

/// The name in `name:value`, which is one word to YAML. An address is one as well.
pub(crate) fn glued(text: &str) -> Option<&str> {
    let (name, value) = text.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric());
    let is_glued = !value.is_empty() && !value.starts_with([' ', '\t', '/']);
    (is_name && is_glued).then_some(name)
}

fn glued_in(line: &str) -> Option<String> {
    let name = glued(content(line)).filter(|_| !line.contains(": "))?;
    Some(format!("a space is missing after the colon of `{name}:`"))
}

/// A value that begins with what YAML reserves, or goes on behind its quotes.
fn begun(line: &str) -> Option<String> {
    let value = value(line)?;
    let first = value.chars().next()?;
    if first == '"' || first == '\'' {
        let behind = behind_quotes(value)?;
        let is_behind = !behind.starts_with([first, ',', ':', ']', '}']) && !behind.is_empty();
        return is_behind.then(|| "put the quotes around the whole text".to_owned());
    }
    if RESERVED.contains(&first) {
        return Some(match placeholder::is_all(value) {
            true => "nothing filled in a place: the step that writes the file must".to_owned(),
            false => format!("a text that begins with `{first}` needs quotes"),
        });
    }
    let has_field = !value.starts_with(['{', '[']) && value.contains(": ");
    has_field.then(|| "a text with `: ` in it needs quotes".to_owned())
}

/// What follows a text in quotes: in double ones a backslash takes the next character as it is, in
/// single ones a quote is written twice.
/// <https://yaml.org/spec/1.2.2/#73-flow-scalar-styles>
fn behind_quotes(value: &str) -> Option<&str> {
    let mut rest = value.char_indices();
    let (_, quote) = rest.next()?;
    while let Some((at, letter)) = rest.next() {
        let behind = &value[at + letter.len_utf8()..];
        let is_taken = letter == '\\' && quote == '"';
        if is_taken || letter == quote && quote == '\'' && behind.starts_with(quote) {
            rest.next();
        } else if letter == quote {
            return Some(behind);
        }
    }
    None
}

/// `{name: ${NAME}}`: the braces of the place end the mapping.
fn open(line: &str) -> Option<String> {
    let line = line.split(" #").next()?;
    let places = line.match_indices(placeholder::VARIABLE);
    let mut open = places.filter(|(place, _)| {
        let before = &line[..*place];
        let is_inner = before.contains(['{', '[']);
        is_inner && !before.ends_with(['"', '\''])
    });
    open.next()
        .map(|_| "a `${…}` between `{` and `}`, or `[` and `]`, needs quotes".to_owned())
}

/// The value of a field, or an entry of a list, as far as the line goes.
fn value(line: &str) -> Option<&str> {
    let content = content(line);
    let value = match content.split_once(": ") {
        Some((name, value)) if !name.contains(['"', '\'', '{', '[']) => value,
        Some(_) | None => content,
    };
    let value = value.split(" #").next()?.trim();
    (value.len() < line.trim().len()).then_some(value)
}

fn content(line: &str) -> &str {
    line.trim_start_matches(['-', ' ', '\t']).trim_end()
}
