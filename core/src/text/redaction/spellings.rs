//! What of a value is secret, and how it may be written.

use super::views;
use super::visible;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The shortest line of a multi-line value that is redacted separately: shorter lines are braces
/// and words.
const LINE_MINIMUM: usize = 16;

/// The passwords within a value: in a URL's user part, and named passwords in a connection string.
pub(super) fn passwords(value: &str) -> impl Iterator<Item = &str> {
    const NAMES: [&str; 5] = ["password", "passwd", "pwd", "secret", "token"];
    let user = value.split("://").skip(1).filter_map(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next()?;
        // A password that nobody has encoded may have any of these itself.
        let whole = rest.split(' ').next()?;
        let user = authority.rsplit_once('@').or(whole.rsplit_once('@'));
        user?.0.split_once(':').map(|(_, password)| password)
    });
    let fields = value.split([';', '&', ' ', '?']).filter_map(|field| {
        let (name, value) = field.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        NAMES
            .iter()
            .any(|it| name.ends_with(it))
            .then_some(value.trim())
    });
    user.chain(fields)
}

/// What a percent-encoded value means, which is as secret.
pub(super) fn decoded(value: &str) -> Vec<String> {
    let mut all = Vec::new();
    if value.contains('%') {
        views::each(value, &mut |view| {
            all.extend(String::from_utf8(view.bytes.clone()).ok());
        });
    }
    all
}

/// The spellings of a value: as it is, and quoted in one line. The lines of a key are as secret as
/// the whole key, and logs break and cut them anywhere.
pub(super) fn spellings(secret: &str) -> impl Iterator<Item = String> {
    let lines = secret
        .lines()
        .filter(|line| line.trim().len() >= LINE_MINIMUM);
    let all = std::iter::once(secret).chain(lines).map(str::trim);
    all.flat_map(|text| {
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        [text.to_owned(), visible(text), one_line]
    })
    .flat_map(|text| {
        if text.is_ascii() {
            vec![text]
        } else {
            foreign(&text)
        }
    })
}

/// The spellings of a value with letters beyond ASCII: composed or decomposed, in another case,
/// read as Latin-1, and with `?` in their place.
fn foreign(text: &str) -> Vec<String> {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let cases =
        [text, &composed, &apart].map(|it| [it.to_owned(), it.to_lowercase(), it.to_uppercase()]);
    let letters = |it: char| if it.is_ascii() { it } else { '?' };
    let read = [
        visible(&composed.bytes().map(char::from).collect::<String>()),
        composed.chars().map(letters).collect(),
    ];
    cases.into_iter().flatten().chain(read).collect()
}
