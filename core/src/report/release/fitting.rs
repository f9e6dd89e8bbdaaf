//! Lists within a limit: what does not fit is counted.

/// Room for how many were left out.
const TAIL: usize = 40;

/// As many texts as fit into `limit` bytes, and how many `things` are left out.
pub(super) fn fit(all: &[String], separator: &str, things: &str, limit: usize) -> String {
    let mut text = String::new();
    for (index, one) in all.iter().enumerate() {
        let is_last = index + 1 == all.len();
        let tail = if is_last { 0 } else { TAIL };
        if text.len() + separator.len() + one.len() + tail > limit {
            let left = all.len() - index;
            let tail = format!("… and {left} more {things}");
            return match text.is_empty() {
                true => tail,
                false => text + separator + &tail,
            };
        }
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(one);
    }
    text
}

#[cfg(test)]
mod tests;
