//! Lists within a limit: what does not fit is counted.

/// Room for how many were left out.
const TAIL: usize = 40;

/// As many texts as fit into `limit` bytes, and how many `things` are left out.
pub(super) fn fit(all: &[String], separator: &str, things: &str, limit: usize) -> String {
    fit_counted(all, |_| 1, separator, things, limit)
}

/// The same where each text stands for so many things.
fn fit_counted(
    all: &[String],
    count: impl Fn(usize) -> usize,
    separator: &str,
    things: &str,
    limit: usize,
) -> String {
    let mut text = String::new();
    for (index, one) in all.iter().enumerate() {
        let is_last = index + 1 == all.len();
        let tail = if is_last { 0 } else { TAIL };
        if text.len() + separator.len() + one.len() + tail > limit {
            let left = (index..all.len()).map(&count).sum::<usize>();
            let things = match left {
                1 => things.trim_end_matches('s'),
                _ => things,
            };
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

/// The texts for some things that are told together.
pub(super) struct Block {
    /// The shortest first.
    pub(super) forms: Vec<String>,
    /// The one that must be shown where there is room, at the cost of what matters less.
    pub(super) least: usize,
    /// How many things they are.
    pub(super) things: usize,
}

/// The same for texts in several forms: as many as possible are shown in their least form or in a
/// shorter one, and each in the longest form for which there is room beside them.
pub(super) fn fit_forms(all: &[Block], separator: &str, things: &str, limit: usize) -> String {
    let shortest = all.iter().filter_map(|block| block.forms.first().cloned());
    let mut texts = shortest.collect::<Vec<_>>();
    let (mut used, mut shown) = (TAIL, 0);
    for (block, text) in all.iter().zip(&mut texts) {
        let mut least = block.forms.iter().take(block.least + 1).rev();
        let Some(form) = least.find(|form| used + form.len() + separator.len() <= limit) else {
            break;
        };
        text.clone_from(form);
        used += form.len() + separator.len();
        shown += 1;
    }
    let size = |texts: &[String]| {
        let sizes = texts.iter().take(shown);
        TAIL + sizes
            .map(|text| text.len() + separator.len())
            .sum::<usize>()
    };
    let longest = all.iter().map(|it| it.forms.len()).max().unwrap_or(0);
    for form in 1..longest {
        for (place, block) in all.iter().enumerate().take(shown) {
            let Some(longer) = block.forms.get(form) else {
                continue;
            };
            let is_longer = longer.len() > texts[place].len();
            if is_longer && size(&texts) - texts[place].len() + longer.len() <= limit {
                texts[place].clone_from(longer);
            }
        }
    }
    fit_counted(&texts, |place| all[place].things, separator, things, limit)
}

#[cfg(test)]
mod tests;
