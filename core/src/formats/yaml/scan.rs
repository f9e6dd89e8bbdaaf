//! Scans a text without parsing it: splits its documents, and detects unrendered templates.

use crate::text::placeholder;
use std::borrow::Cow;

/// What an instruction of ytt in a line of its own begins with, after its `#@`.
/// <https://carvel.dev/ytt/docs/latest/lang/>
const YTT: [&str; 9] = [
    " load(", " end", " def ", " if ", " if/", " for ", "data/", "overlay/", "schema/",
];

/// Removes byte order marks at the beginning of lines other than the first: combined files have
/// several, and libyaml, which `kubectl` uses, ignores them.
pub(super) fn without_inner_marks(text: &str) -> Cow<'_, str> {
    match text.contains("\n\u{feff}") {
        true => text.replace("\n\u{feff}", "\n").into(),
        false => text.into(),
    }
}

/// Splits a text into documents, each with the number of lines before it. Like `kubectl`, it splits
/// before parsing, so an open bracket in one document does not affect the next.
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
            // The text before the first separator may contain directives.
            let plain = one.trim();
            has_content |= is_marker || !(plain.is_empty() || plain.starts_with(['#', '%']));
            place += one.len();
        }
        rest = None;
        Some((line, text))
    })
}

/// The first line, from one, with a template's placeholder in place of a value or a field.
/// Placeholders in quotes, comments or block scalars may be intended, so they do not count.
pub(super) fn template_line(text: &str) -> Option<usize> {
    line_outside(text, |line| {
        let open = placeholder::TEMPLATES
            .into_iter()
            .filter_map(|open| line.find(open))
            .min();
        let before = open.map(|place| &line[..place]);
        before.is_some_and(|before| !before.contains(['"', '\'', '#', '`']))
    })
}

/// The first line, from one, with an instruction of ytt: it stands in a comment, so that the file
/// can be read, but without its values.
pub(super) fn ytt_line(text: &str) -> Option<usize> {
    if !text.contains("#@") {
        return None;
    }
    line_outside(text, |line| {
        let Some((before, after)) = line.split_once("#@") else {
            return false;
        };
        let before = before.trim();
        match before.is_empty() {
            true => YTT.iter().any(|word| after.starts_with(word)),
            false => {
                let is_plain = !before.contains(['"', '\'', '#']);
                is_plain && before.ends_with([':', '-']) && after.starts_with(' ')
            }
        }
    })
}

/// The first line, from one, that is neither in quotes nor in a block scalar and is like this.
fn line_outside(text: &str, is_it: impl Fn(&str) -> bool) -> Option<usize> {
    let mut lines = Lines::default();
    text.split_inclusive('\n')
        .position(|line| {
            let was_quoted = lines.quote.is_some();
            lines.pass(line);
            let is_text = was_quoted || matches!(lines.block, Some(Block::At(_)));
            !is_text && is_it(line)
        })
        .map(|index| index + 1)
}

/// The state of a scan through the lines of a YAML text.
#[derive(Default)]
struct Lines {
    quote: Option<char>,
    block: Option<Block>,
}

/// A block scalar, which ends before the first line with a smaller indentation.
enum Block {
    /// Its first line with content has not come yet; the key's line has this indentation.
    Begun(usize),
    /// It has this indentation.
    At(usize),
}

impl Lines {
    fn pass(&mut self, line: &str) {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let is_blank = line.trim().is_empty();
        match self.block {
            Some(_) if is_blank => return,
            Some(Block::Begun(key)) if indent > key => {
                self.block = Some(Block::At(indent));
                return;
            }
            Some(Block::At(block)) if indent >= block => return,
            Some(_) | None => self.block = None,
        }
        self.pass_quotes(line);
        let content = line.split(" #").next().unwrap_or_default();
        let last = content.split_whitespace().next_back().unwrap_or_default();
        let is_header = last.starts_with(['|', '>'])
            && last[1..]
                .bytes()
                .all(|byte| b"+-0123456789".contains(&byte));
        if is_header && self.quote.is_none() {
            self.block = Some(Block::Begun(indent));
        }
    }

    fn pass_quotes(&mut self, line: &str) {
        let mut is_escaped = false;
        let mut begins = true;
        let mut word = String::new();
        let mut before = '\n';
        for character in line.chars() {
            if let Some(quote) = self.quote {
                if character == quote && !is_escaped {
                    self.quote = None;
                    // `''` is an escaped quote.
                    begins = true;
                }
                is_escaped = quote == '"' && character == '\\' && !is_escaped;
            } else if character == '#' && before.is_whitespace() {
                // The rest of the line is a comment.
                return;
            } else if begins && matches!(character, '"' | '\'') {
                self.quote = Some(character);
            } else if character.is_whitespace() {
                // A value begins after one of these, and after a tag or an anchor.
                begins |= matches!(word.as_str(), "-" | "?" | "---")
                    || word.ends_with([':', ',', '[', '{'])
                    || word.starts_with(['!', '&']);
                word.clear();
            } else {
                begins = "[{,".contains(character);
                word.push(character);
            }
            before = character;
        }
    }
}
