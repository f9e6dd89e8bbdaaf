//! One file of Rust as text: its code without tests, comments and literals, and what it names.

/// The text with comments and literals as spaces, line for line.
pub fn blank(text: &str) -> String {
    let signs: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < signs.len() {
        let end = literal_end(&signs, at);
        if end == at {
            out.push(signs[at]);
            at += 1;
        } else {
            let hidden = signs[at..end].iter();
            out.extend(hidden.map(|sign| if *sign == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment or literal ends that begins here; here, if none does.
fn literal_end(signs: &[char], at: usize) -> usize {
    let rest = &signs[at..];
    let starts = |with: &str| {
        with.chars()
            .eq(rest.iter().copied().take(with.chars().count()))
    };
    if starts("//") {
        return at + length_until(rest, |sign| sign == '\n');
    }
    if starts("/*") {
        return at + block_comment(rest);
    }
    let in_word = at > 0 && (signs[at - 1].is_alphanumeric() || signs[at - 1] == '_');
    let prefix = match in_word {
        true => 0,
        false => length_until(rest, |sign| !matches!(sign, 'b' | 'c' | 'r')).min(2),
    };
    let raw = rest[..prefix].contains(&'r');
    let hashes = match raw {
        true => length_until(&rest[prefix..], |sign| sign != '#'),
        false => 0,
    };
    let quote = prefix + hashes;
    match rest.get(quote) {
        Some('"') if raw => {
            let close: Vec<char> = ['"'].into_iter().chain(vec!['#'; hashes]).collect();
            let inside = &rest[quote + 1..];
            let end = inside.windows(close.len()).position(|part| part == close);
            at + end.map_or(rest.len(), |end| quote + 1 + end + close.len())
        }
        Some('"') => at + quoted(rest, quote, '"'),
        Some('\'') if !raw && is_char(&rest[quote..]) => at + quoted(rest, quote, '\''),
        _ => at,
    }
}

fn length_until(signs: &[char], stop: impl Fn(char) -> bool) -> usize {
    let found = signs.iter().position(|sign| stop(*sign));
    found.unwrap_or(signs.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// `'a'` and `'\n'` are literals, `'a` is a lifetime.
fn is_char(rest: &[char]) -> bool {
    matches!(rest, ['\'', '\\', ..] | ['\'', _, '\'', ..])
}

fn quoted(rest: &[char], quote: usize, close: char) -> usize {
    let mut at = quote + 1;
    while at < rest.len() && rest[at] != close {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Blanked code without the items that stand behind `#[cfg(test)]`.
pub fn without_tests(blanked: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::new();
    let mut rest = blanked;
    while let Some(start) = rest.find(MARK) {
        out.push_str(&rest[..start]);
        rest = &rest[start + MARK.len()..];
        rest = &rest[item_end(rest)..];
    }
    out + rest
}

/// The length of the item that comes next: up to its `;`, or the end of its block.
fn item_end(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, sign) in code.char_indices() {
        match sign {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                // Further attributes of the item end with a bracket.
                if depth == 0 && sign == '}' {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Each function with a body: its name, its first line, how many lines it has.
pub fn functions(blanked: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in blanked.match_indices("fn ") {
        let before = blanked[..at].chars().next_back();
        let name: String = blanked[at + 3..]
            .trim_start()
            .chars()
            .take_while(|sign| sign.is_alphanumeric() || *sign == '_')
            .collect();
        let inside_word = before.is_some_and(|sign| sign.is_alphanumeric() || sign == '_');
        if inside_word || name.is_empty() {
            continue;
        }
        let whole = &blanked[at..at + item_end(&blanked[at..])];
        if whole.ends_with('}') {
            let line = blanked[..at].matches('\n').count() + 1;
            found.push((name, line, whole.matches('\n').count() + 1));
        }
    }
    found
}

/// The paths that blanked code names, each as its segments: the trees of `use` spread out, and
/// those in the code itself.
pub fn paths(blanked: &str) -> Vec<Vec<String>> {
    let tokens = tokens(blanked);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map_or("", |at| tokens[at].as_str());
        // `use<'a>` names what a type captures.
        let captures = tokens.get(at + 1).is_some_and(|token| token == "<");
        if tokens[at] == "use" && !captures {
            at = spread(&tokens, at + 1, &[], &mut found);
        } else if is_word(&tokens[at]) {
            let mut path = vec![tokens[at].clone()];
            let part = matches!(before, "::" | ".");
            while at + 2 < tokens.len() && tokens[at + 1] == "::" && is_word(&tokens[at + 2]) {
                path.push(tokens[at + 2].clone());
                at += 2;
            }
            if path.len() > 1 && !part {
                found.push(path);
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

/// Spreads one tree of a `use`; gives back where it ends.
fn spread(
    tokens: &[String],
    mut at: usize,
    above: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = above.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = spread(tokens, at, &path, found);
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            "," | "}" | ";" => break,
            "as" => at += 1,
            "self" if !path.is_empty() => {}
            "::" => {}
            segment => path.push(segment.to_owned()),
        }
        at += 1;
    }
    if path.len() > above.len()
        || tokens
            .get(at.wrapping_sub(1))
            .is_some_and(|last| last == "self")
    {
        found.push(path);
    }
    at
}

fn is_word(token: &str) -> bool {
    let first = token.chars().next();
    first.is_some_and(|sign| sign.is_alphabetic() || sign == '_')
}

fn tokens(blanked: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = blanked.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |sign: char| sign.is_alphanumeric() || sign == '_';
        let length = match first {
            _ if word(first) => rest.find(|sign| !word(sign)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        found.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    found
}
