//! Bars as plain SVG, legible on light and dark backgrounds.

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

/// One bar, and the figure beside it.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) title: String,
    pub(crate) ours: bool,
    pub(crate) value: f64,
    pub(crate) text: String,
}

/// Bars of one figure.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) bars: Vec<Bar>,
}

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
    let panels = panels.map(|(title, unit, figure)| {
        let bars = figures.rows.iter().filter_map(|row| {
            let value = figure(row)?;
            Some(Bar {
                title: row.title.to_owned(),
                ours: row.name == crate::candidate::LANDFALL,
                value,
                text: format!("{} {unit}", number(value)),
            })
        });
        Panel {
            title: title.to_owned(),
            bars: bars.collect(),
        }
    });
    let label = "Landfall and what people use instead: time, memory, package";
    draw(label, &panels)
}

/// Draws the panels one below the other.
pub(crate) fn draw(label: &str, panels: &[Panel]) -> String {
    let mut top = 0.0;
    let body = panels
        .iter()
        .map(|it| panel(it, &mut top))
        .collect::<String>();
    let height = top + 8.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{label}\">\n\
         <style>\n{STYLE}</style>\n{body}</svg>\n"
    )
}

fn panel(panel: &Panel, top: &mut f64) -> String {
    let longest = panel.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let mut text = format!(
        "<text class=\"title\" x=\"0\" y=\"{:.0}\">{}</text>\n",
        *top + 22.0,
        panel.title
    );
    *top += TITLE;
    for bar in &panel.bars {
        // Every bar must be visible.
        let length = (bar.value / longest * (WIDTH - LEFT - RIGHT)).max(1.0);
        let class = if bar.ours { "ours" } else { "theirs" };
        let baseline = *top + 12.0;
        text += &format!(
            "<text x=\"{:.0}\" y=\"{baseline:.0}\" text-anchor=\"end\">{}</text>\n\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{:.0}\" width=\"{length:.1}\" \
             height=\"{BAR}\" rx=\"2\"/>\n\
             <text class=\"figure\" x=\"{:.1}\" y=\"{baseline:.0}\">{}</text>\n",
            LEFT - 10.0,
            bar.title,
            *top,
            LEFT + length + 8.0,
            bar.text,
        );
        *top += LINE;
    }
    *top += 6.0;
    text
}

#[cfg(test)]
mod tests;
