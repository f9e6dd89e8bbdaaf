//! Removes everything from a text that colours it, moves the cursor, changes its direction or is
//! invisible.

/// Returns the text without terminal sequences, control characters, directional marks and invisible
/// characters. Line breaks stay, tabs become spaces.
pub fn visible(text: &str) -> String {
    if text
        .bytes()
        .all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte))
    {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\n' => shown.push('\n'),
            '\t' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' | '\u{85}' => shown.push(' '),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => shown.push('\n'),
            '\u{1b}' => skip_sequence(&mut rest),
            '\u{9b}' => skip_parameters(&mut rest),
            '\u{9d}' | '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            character if character.is_control() || does_not_show(character) => {}
            character => shown.push(character),
        }
    }
    shown
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips a terminal sequence after ESC.
/// <https://ecma-international.org/publications-and-standards/standards/ecma-48/>
fn skip_sequence(rest: &mut Rest<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_parameters(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        Some(' '..='/') => {
            while rest.next_if(|it| (' '..='/').contains(it)).is_some() {}
            rest.next_if(|it| ('0'..='~').contains(it));
        }
        Some('0'..='~') => _ = rest.next(),
        Some(_) | None => {}
    }
}

/// Skips parameters, and the letter that ends them.
fn skip_parameters(rest: &mut Rest<'_>) {
    while rest.next_if(|it| (' '..='?').contains(it)).is_some() {}
    rest.next_if(|it| ('@'..='~').contains(it));
}

/// Skips a string up to BEL or its terminator. An unterminated string is not skipped, because its
/// content would be lost.
fn skip_string(rest: &mut Rest<'_>) {
    let mut ahead = rest.clone();
    while let Some(character) = ahead.next() {
        let ends = match character {
            '\u{7}' | '\u{9c}' => true,
            '\u{1b}' => ahead.next_if_eq(&'\\').is_some(),
            '\n' => return,
            _ => false,
        };
        if ends {
            *rest = ahead;
            return;
        }
    }
}

/// Directional marks, zero-width characters and similar ones.
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
fn does_not_show(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests;
