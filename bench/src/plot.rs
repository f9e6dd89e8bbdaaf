//! The plot in README: plain SVG, legible on light and dark backgrounds.

use crate::report::{Figures, Row, number};
use crate::spread::Spread;

const WIDTH: f64 = 760.0;
/// Where the bars begin; the names are to the left.
const LEFT: f64 = 210.0;
/// The room for a figure after the longest bar.
const RIGHT: f64 = 90.0;
const LINE: f64 = 26.0;
const BAR: f64 = 14.0;
const TITLE: f64 = 34.0;
const STYLE: &str = "\
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }\n\
    .title { font-weight: 600 }\n\
    .figure { font-variant-numeric: tabular-nums }\n\
    .ours { fill: #2da44e }\n\
    .theirs { fill: #8c959f }\n\
    @media (prefers-color-scheme: dark) {\n\
      text { fill: #e6edf3 }\n\
      .ours { fill: #3fb950 }\n\
      .theirs { fill: #6e7681 }\n\
    }\n";

type Figure<'a> = (&'a str, &'a str, fn(&Row) -> Option<f64>);

/// Draws each candidate's cold time, memory and package as bars.
pub(crate) fn plot(figures: &Figures) -> String {
    let panels: [Figure<'_>; 3] = [
        (
            "A cold deploy, start of the process to the report",
            "ms",
            |row| Spread::of(row.deploys.cold.iter().copied()).map(|spread| spread.median),
        ),
        ("Memory at the peak", "MiB", |row| Some(row.deploys.peak)),
        ("Package", "MB", |row| {
            row.package.map(|bytes| bytes as f64 / 1e6)
        }),
    ];
    let mut body = String::new();
    let mut top = 0.0;
    for (title, unit, figure) in panels {
        let bars = figures
            .rows
            .iter()
            .filter_map(|row| Some((row, figure(row)?)));
        body += &panel(title, unit, &bars.collect::<Vec<_>>(), &mut top);
    }
    let height = top + 8.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Landfall and what people use instead: time, memory, package\">\n\
         <style>\n{STYLE}</style>\n{body}</svg>\n"
    )
}

fn panel(title: &str, unit: &str, bars: &[(&Row, f64)], top: &mut f64) -> String {
    let longest = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let mut text = format!(
        "<text class=\"title\" x=\"0\" y=\"{:.0}\">{title}</text>\n",
        *top + 22.0
    );
    *top += TITLE;
    for (row, value) in bars {
        // Every bar must be visible.
        let length = (value / longest * (WIDTH - LEFT - RIGHT)).max(1.0);
        let class = if row.name == crate::candidate::LANDFALL {
            "ours"
        } else {
            "theirs"
        };
        let baseline = *top + 12.0;
        text += &format!(
            "<text x=\"{:.0}\" y=\"{baseline:.0}\" text-anchor=\"end\">{}</text>\n\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{:.0}\" width=\"{length:.1}\" \
             height=\"{BAR}\" rx=\"2\"/>\n\
             <text class=\"figure\" x=\"{:.1}\" y=\"{baseline:.0}\">{} {unit}</text>\n",
            LEFT - 10.0,
            row.title,
            *top,
            LEFT + length + 8.0,
            number(*value),
        );
        *top += LINE;
    }
    *top += 6.0;
    text
}

#[cfg(test)]
mod tests;
