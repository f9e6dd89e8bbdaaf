//! Places that a tool was to fill in, as people's tools write them: `${X}`, `$X`, `$(X)`,
//! `{{ x }}`, `#{x.y}`, `<X>`, `%X%`, `@X@`, `__X__`. The one list of their marks.

/// What a variable of CodePipeline begins with.
pub const PIPELINE: &str = "#{";
/// What a variable of Landfall's own manifests begins with, and one of many other tools.
pub const VARIABLE: &str = "${";
/// What the templates of Helm, Jinja and others begin a place with.
pub const TEMPLATES: [&str; 2] = ["{{", "{%"];

/// What a place is between. The first that a text has is told.
const PAIRS: [(&str, &str); 7] = [
    ("${{", "}}"),
    (VARIABLE, "}"),
    ("{{", "}}"),
    ("$(", ")"),
    (PIPELINE, "}"),
    ("<", ">"),
    ("%", "%"),
];

/// Opening marks that no text has that is meant as it is, even where nothing closes them.
const OPEN: [&str; 4] = [VARIABLE, PIPELINE, "{{", "$("];

/// The first place in a text in which spaces, `$`, `<` and `%` have no meaning of their own.
pub fn first(text: &str) -> Option<&str> {
    let found = PAIRS
        .into_iter()
        .find_map(|(open, close)| between(text, open, close));
    found
        .or_else(|| underscored(text.rsplit(['/', ':']).next().unwrap_or_default()))
        // Maven and CMake; a digest has a colon.
        .or_else(|| between(text, "@", "@").filter(|place| !place.contains(':')))
        .or_else(|| {
            let start = text.find('$')?;
            let name = text[start + 1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            Some(&text[start..name.map_or(text.len(), |length| start + 1 + length)])
        })
}

/// The first place in a text that may have the other marks for itself, such as the `%X%` of a path.
pub fn marked(text: &str) -> Option<&str> {
    first(text).filter(|place| OPEN.iter().any(|open| place.starts_with(open)))
}

/// Whether a text is nothing but a place.
pub fn is_all(text: &str) -> bool {
    let is_around = |(open, close): &(&str, &str)| {
        text.len() >= open.len() + close.len() && text.starts_with(open) && text.ends_with(close)
    };
    PAIRS.iter().any(is_around)
        || text.starts_with('$')
        || underscored(text).is_some()
        || word_between(text, "@").is_some()
}

/// Whether an address or another text without any such mark has one, closed or not.
pub fn is_in(text: &str) -> bool {
    OPEN.iter().any(|open| text.contains(open)) || text.contains('<') || is_all(text)
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = text.find(open)?;
    let length = text[start + open.len()..].find(close)?;
    Some(&text[start..start + open.len() + length + close.len()])
}

/// The text, if it is `__X__`.
fn underscored(text: &str) -> Option<&str> {
    word_between(text, "__")
}

/// The text, if it is one word between these marks.
fn word_between<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let inner = text.strip_prefix(mark)?.strip_suffix(mark)?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (!inner.is_empty() && inner.bytes().all(is_word)).then_some(text)
}

#[cfg(test)]
mod tests;
