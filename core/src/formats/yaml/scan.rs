//! What must be known of a text before the parser sees it: where its documents are, how much it
//! would hold, and the tabs that it stops at though YAML allows them.

use std::borrow::Cow;

/// A text without the marks of byte order that begin other lines than the first: files that were
/// put together have several, and libyaml, by which `kubectl` reads, passes over them.
pub(super) fn without_inner_marks(text: &str) -> Cow<'_, str> {
    match text.contains("\n\u{feff}") {
        true => text.replace("\n\u{feff}", "\n").into(),
        false => text.into(),
    }
}

/// The documents of a text, each with the lines before it. They are parted as `kubectl` does it,
/// before anything is parsed, so that a bracket that one leaves open is no matter of the next.
pub(super) fn documents(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = Some((0, text));
    std::iter::from_fn(move || {
        let (line, text) = rest?;
        let mut place = 0;
        let mut has_content = false;
        for (index, one) in text.split_inclusive('\n').enumerate() {
            let after = one.strip_prefix("---");
            let is_marker = after.is_some_and(|after| after.trim_start().len() < after.len());
            let is_marker = is_marker || after == Some("");
            if is_marker && has_content {
                rest = Some((line + index, &text[place..]));
                return Some((line, &text[..place]));
            }
            // What stands before the first marker may be its directives.
            let plain = one.trim();
            has_content |= is_marker || !(plain.is_empty() || plain.starts_with(['#', '%']));
            place += one.len();
        }
        rest = None;
        Some((line, text))
    })
}

/// The line where something in brackets has more signs that may begin something than the limit.
/// It may count too many, but never too few: every sign counts where a bracket may be open.
pub(super) fn too_many_signs(text: &str, limit: usize) -> Option<usize> {
    let mut group = Group::default();
    for (index, line) in text.lines().enumerate() {
        if group.depth == 0 && line.trim_start().starts_with('#') {
            continue;
        }
        group.in_comment = false;
        let mut before = b'\n';
        for byte in line.bytes() {
            group.take(before, byte);
            before = byte;
        }
        if group.signs > limit {
            return Some(index + 1);
        }
    }
    None
}

/// What is within one outer bracket.
#[derive(Default)]
struct Group {
    depth: usize,
    signs: usize,
    quote: Option<u8>,
    is_escaped: bool,
    in_comment: bool,
}

impl Group {
    fn take(&mut self, before: u8, byte: u8) {
        let opens = byte == b'[' || byte == b'{';
        if self.depth == 0 {
            if opens {
                *self = Group {
                    depth: 1,
                    signs: 1,
                    ..Group::default()
                };
            }
            return;
        }
        if b",[{:&*!".contains(&byte) {
            self.signs += 1;
        }
        if self.in_comment {
            return;
        }
        if let Some(quote) = self.quote {
            let escapes = quote == b'"' && byte == b'\\' && !self.is_escaped;
            if byte == quote && !self.is_escaped {
                self.quote = None;
            }
            self.is_escaped = escapes;
            return;
        }
        match byte {
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth -= 1,
            // After a letter it is a part of a word: `don't`.
            b'"' | b'\'' if !before.is_ascii_alphanumeric() => self.quote = Some(byte),
            b'#' if before.is_ascii_whitespace() => self.in_comment = true,
            _ => {}
        }
    }
}

/// A text where a space stands for the tab after a key's colon: YAML allows both there, and so does
/// `kubectl`. Tabs in quotes, comments and block scalars stay.
pub(super) fn with_spaces_after_colons(text: &str) -> Cow<'_, str> {
    if !text.contains(":\t") {
        return text.into();
    }
    let mut lines = Lines::default();
    text.split_inclusive('\n')
        .map(|line| lines.spaced(line))
        .collect::<String>()
        .into()
}

/// The first line, from one, with a place of a template where YAML has a value or a field: not in
/// quotes, comments or block scalars, where it may well be meant.
pub(super) fn template_line(text: &str) -> Option<usize> {
    let mut lines = Lines::default();
    text.split_inclusive('\n')
        .position(|line| {
            let was_quoted = lines.quote.is_some();
            lines.spaced(line);
            let is_text = was_quoted || matches!(lines.block, Some(Block::At(_)));
            let open = ["{{", "{%"]
                .into_iter()
                .filter_map(|open| line.find(open))
                .min();
            let before = open.map(|place| &line[..place]);
            !is_text && before.is_some_and(|before| !before.contains(['"', '\'', '#', '`']))
        })
        .map(|index| index + 1)
}

/// Where in a text of YAML a line is.
#[derive(Default)]
struct Lines {
    quote: Option<char>,
    block: Option<Block>,
}

/// A block scalar, which ends before the first line that is less indented.
enum Block {
    /// Its first line with content is still to come; the key's line is so far indented.
    Begun(usize),
    /// It is so far indented.
    At(usize),
}

impl Lines {
    fn spaced(&mut self, line: &str) -> String {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let is_blank = line.trim().is_empty();
        match self.block {
            Some(_) if is_blank => return line.to_owned(),
            Some(Block::Begun(key)) if indent > key => {
                self.block = Some(Block::At(indent));
                return line.to_owned();
            }
            Some(Block::At(block)) if indent >= block => return line.to_owned(),
            Some(_) | None => self.block = None,
        }
        let mut spaced = String::with_capacity(line.len());
        let mut is_escaped = false;
        let mut begins = true;
        let mut word = String::new();
        for character in line.chars() {
            let before = spaced.chars().last();
            if let Some(quote) = self.quote {
                if character == quote && !is_escaped {
                    self.quote = None;
                    // `''` is one that stays.
                    begins = true;
                }
                is_escaped = quote == '"' && character == '\\' && !is_escaped;
                spaced.push(character);
                continue;
            }
            match character {
                '\t' if before == Some(':') => {
                    spaced.push(' ');
                    begins = true;
                    word.clear();
                    continue;
                }
                '#' if before.is_none_or(char::is_whitespace) => {
                    // The rest is a comment.
                    let rest = &line[spaced.len()..];
                    spaced.push_str(rest);
                    break;
                }
                '"' | '\'' if begins => self.quote = Some(character),
                _ => {}
            }
            // A value begins after one of these, and after a tag or an anchor.
            if character.is_whitespace() {
                begins |= matches!(word.as_str(), "-" | "?" | "---")
                    || word.ends_with([':', ',', '[', '{'])
                    || word.starts_with(['!', '&']);
                word.clear();
            } else {
                begins = "[{,".contains(character);
                word.push(character);
            }
            spaced.push(character);
        }
        let content = spaced.split(" #").next().unwrap_or_default();
        let last = content.split_whitespace().next_back().unwrap_or_default();
        let is_header = last.starts_with(['|', '>'])
            && last[1..]
                .bytes()
                .all(|byte| b"+-0123456789".contains(&byte));
        if is_header && self.quote.is_none() {
            self.block = Some(Block::Begun(indent));
        }
        spaced
    }
}
