//! The API server's warnings about a write that it accepts: the header `Warning: 299 - "…"`.
//! <https://kubernetes.io/blog/2020/09/03/warnings/>

/// How many warnings of a call are kept; the server itself stops at 4 KiB.
const LIMIT: usize = 5;

/// The longest warning that is kept, in bytes.
const LENGTH: usize = 200;

/// Reads the texts of the `Warning` headers, without terminal sequences and redacted with `mask`.
pub fn read<'a>(
    headers: impl Iterator<Item = &'a [u8]>,
    mask: impl Fn(&str) -> String,
) -> Vec<String> {
    let values = headers.filter_map(|value| std::str::from_utf8(value).ok());
    let texts = values.flat_map(quoted).take(LIMIT);
    texts
        .map(|text| {
            // Redact before clipping: half a value might not be recognized.
            let text = mask(&text);
            let plain = text
                .chars()
                .map(|it| if it.is_control() { ' ' } else { it });
            let words = plain.collect::<String>();
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            crate::text::clip(&words, LENGTH)
        })
        .filter(|text| !text.is_empty())
        .collect()
}

/// The first quoted text of each warning in a header; the second one is a date.
/// <https://www.rfc-editor.org/rfc/rfc7234#section-5.5>
fn quoted(header: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = header;
    while let Some(start) = rest
        .find("299 ")
        .and_then(|at| Some(at + rest[at..].find('"')? + 1))
    {
        let mut text = String::new();
        let mut end = rest.len();
        let mut characters = rest[start..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = start + at + 1;
                    break;
                }
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                other => text.push(other),
            }
        }
        found.push(text);
        if found.len() >= LIMIT {
            break;
        }
        rest = &rest[end..];
    }
    found
}

#[cfg(test)]
mod tests;
