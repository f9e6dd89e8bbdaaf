//! The timeline as a picture, and the same as tables.

use super::markup::{escaped, second};
use super::model::{Happened, Page};

/// The picture in its own units: text of 11 of them is readable on a phone.
const WIDTH: i64 = 400;
/// Where the curves begin.
const LEFT: i64 = 26;
/// Where they end.
const RIGHT: i64 = WIDTH - 8;
/// The top of the curves, below the numbers of the marks.
const TOP: i64 = 22;
/// Their bottom: no pod.
const BOTTOM: i64 = 150;
/// The band of the traffic below the axis of time.
const BAND: (i64, i64) = (186, 30);

/// The section about the rollout.
pub(super) fn section(page: &Page) -> String {
    // A plan rolls nothing out.
    if page.outcome == "PLANNED" {
        return String::new();
    }
    let release = page.deploy.as_ref().is_some_and(|it| it.kind == "Release");
    let (points, marks) = (&page.points, &page.marks);
    let body = match points.is_empty() && marks.is_empty() {
        true if page.deploy.is_none() => return String::new(),
        true if release => "<p>The pods of a release are not followed over time.</p>\n".to_owned(),
        true => "<p>No rollout was seen.</p>\n".to_owned(),
        false => [figure(page), legend(page), marked(page), counted(page)].concat(),
    };
    format!(
        "<section aria-labelledby=\"rollout\">\n<h2 id=\"rollout\">Rollout</h2>\n{body}</section>\n"
    )
}

/// The scales of the picture.
struct Scale {
    seconds: i64,
    pods: i64,
}

impl Scale {
    fn of(page: &Page) -> Scale {
        let points = page.points.iter();
        let all = points.clone().flat_map(|point| &point.available);
        let ended = page
            .started
            .map(|started| page.ended.duration_since(started));
        let marked = page.marks.iter().map(|mark| mark.second);
        let seconds = points.map(|point| point.second).chain(marked);
        let seconds = seconds.chain(ended.map(|it| it.as_secs()));
        Scale {
            seconds: seconds.max().unwrap_or(0).max(1),
            pods: all.copied().max().unwrap_or(0).max(1),
        }
    }

    fn x(&self, second: i64) -> i64 {
        let second = i128::from(second.clamp(0, self.seconds));
        let part = second * i128::from(RIGHT - LEFT) / i128::from(self.seconds);
        LEFT + i64::try_from(part).unwrap_or(0)
    }

    fn y(&self, pods: i64) -> i64 {
        let pods = i128::from(pods.clamp(0, self.pods));
        let part = pods * i128::from(BOTTOM - TOP) / i128::from(self.pods);
        BOTTOM - i64::try_from(part).unwrap_or(0)
    }
}

fn figure(page: &Page) -> String {
    let scale = Scale::of(page);
    let shares = page.marks.iter().any(|mark| mark.percent.is_some());
    let height = if shares {
        BAND.0 + BAND.1 + 4
    } else {
        BOTTOM + 20
    };
    let mut drawn = String::new();
    for pods in [0, scale.pods] {
        let y = scale.y(pods);
        drawn.push_str(&format!(
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{pods}</text>\n",
            LEFT - 5,
            y + 4
        ));
    }
    let (end, below) = (second(scale.seconds), BOTTOM + 15);
    drawn.push_str(&format!(
        "<text x=\"{LEFT}\" y=\"{below}\">0 s</text>\
         <text x=\"{RIGHT}\" y=\"{below}\" text-anchor=\"end\">{end}</text>\n"
    ));
    for (place, mark) in page.marks.iter().enumerate() {
        drawn.push_str(&marker(&scale, place, &page.marks, mark));
    }
    for version in 0..page.versions.len() {
        let curve = curve(page, &scale, version);
        drawn.push_str(&format!(
            "<path class=\"curve v{version}\" d=\"{curve}\"/>\n"
        ));
    }
    if shares {
        drawn.push_str(&band(page, &scale));
    }
    let label = label(page, &scale);
    format!(
        "<figure>\n<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{}\">\n{drawn}</svg>\n<figcaption>Available pods of each version over time\
         {}. The numbers are those of the table below.</figcaption>\n</figure>\n",
        escaped(&label),
        match shares {
            true => ", and below it the share of the traffic that the new version had",
            false => "",
        }
    )
}

/// What the picture shows, for those who hear the page.
fn label(page: &Page, scale: &Scale) -> String {
    let last = page.points.last();
    let versions = page.versions.iter().enumerate().map(|(place, version)| {
        let count = last
            .and_then(|point| point.available.get(place))
            .unwrap_or(&0);
        format!(" At the end {count} available pods of {}.", version.name)
    });
    format!(
        "Timeline of {}.{}",
        second(scale.seconds),
        versions.collect::<String>()
    )
}

/// A mark: its number above the curves; and what was not seen before it. Marks of the same place
/// share a line, which has the number of the first.
fn marker(scale: &Scale, place: usize, all: &[Happened], mark: &Happened) -> String {
    let x = scale.x(mark.second);
    let unseen = mark.unseen_since.map(|since| {
        let from = scale.x(since);
        format!(
            "<rect class=\"unseen\" x=\"{from}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"/>",
            x - from,
            BOTTOM - TOP
        )
    });
    // Numbers that would stand on each other are in the table alone.
    let is_near = all[..place]
        .iter()
        .any(|other| x - scale.x(other.second) < 12);
    let number = match is_near {
        true => String::new(),
        false => format!(
            "<text x=\"{x}\" y=\"12\" text-anchor=\"middle\">{}</text>",
            place + 1
        ),
    };
    format!(
        "{}<line class=\"mark\" x1=\"{x}\" x2=\"{x}\" y1=\"16\" y2=\"{BOTTOM}\"/>{number}\n",
        unseen.unwrap_or_default()
    )
}

/// The steps of a version's curve.
fn curve(page: &Page, scale: &Scale, version: usize) -> String {
    let mut path = String::new();
    let mut points = page.points.iter();
    let count = |available: &[i64]| scale.y(available.get(version).copied().unwrap_or(0));
    if let Some(first) = points.next() {
        path = format!("M{} {}", scale.x(first.second), count(&first.available));
    }
    for point in points {
        let (x, y) = (scale.x(point.second), count(&point.available));
        path.push_str(&format!("H{x}V{y}"));
    }
    path.push_str(&format!("H{}", scale.x(scale.seconds)));
    path
}

/// The share of the traffic over time.
fn band(page: &Page, scale: &Scale) -> String {
    let (top, height) = BAND;
    let steps = page.marks.iter();
    let steps = steps.filter_map(|mark| Some((mark.second, i64::from(mark.percent?))));
    let steps = steps.collect::<Vec<_>>();
    let mut drawn = format!(
        "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{0}\" y2=\"{0}\"/>\n",
        top + height
    );
    for (place, (second, percent)) in steps.iter().enumerate() {
        let x = scale.x(*second);
        let next = steps
            .get(place + 1)
            .map_or(scale.seconds, |(next, _)| *next);
        let (tall, wide) = (height * percent.clamp(&0, &100) / 100, scale.x(next) - x);
        drawn.push_str(&format!(
            "<rect class=\"share\" x=\"{x}\" y=\"{}\" width=\"{wide}\" height=\"{tall}\"/>",
            top + height - tall
        ));
        if wide >= 34 {
            drawn.push_str(&format!(
                "<text x=\"{}\" y=\"{}\">{percent} %</text>\n",
                x + 3,
                top + height - 4
            ));
        }
    }
    drawn
}

fn legend(page: &Page) -> String {
    let versions = page.versions.iter().enumerate();
    let versions = versions.map(|(place, version)| {
        format!(
            "<li><svg viewBox=\"0 0 44 10\" aria-hidden=\"true\"><path class=\"curve v{place}\" \
             d=\"M0 5H44\"/></svg><code>{}</code> ({})</li>\n",
            escaped(&version.name),
            escaped(&version.image)
        )
    });
    match page.versions.is_empty() {
        true => String::new(),
        false => format!(
            "<ul class=\"legend\">\n{}</ul>\n",
            versions.collect::<String>()
        ),
    }
}

fn marked(page: &Page) -> String {
    if page.marks.is_empty() {
        return String::new();
    }
    let rows = page.marks.iter().enumerate().map(|(place, mark)| {
        let unseen = mark.unseen_since.map(|since| {
            let (since, until) = (second(since), second(mark.second));
            format!("; nothing was seen from {since} to {until}")
        });
        format!(
            "<tr><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}{}</td></tr>\n",
            place + 1,
            second(mark.second),
            escaped(&mark.what),
            unseen.unwrap_or_default()
        )
    });
    format!(
        "<table>\n<caption>What happened, by the time since the deploy began</caption>\n<thead><tr>\
         <th scope=\"col\" class=\"number\">No.</th><th scope=\"col\" class=\"number\">After</th>\
         <th scope=\"col\">What</th></tr></thead>\n<tbody>\n{}</tbody>\n</table>\n",
        rows.collect::<String>()
    )
}

fn counted(page: &Page) -> String {
    if page.points.is_empty() {
        return String::new();
    }
    let heads = page.versions.iter().map(|version| {
        let name = escaped(&version.name);
        format!("<th scope=\"col\" class=\"number\">{name}</th>")
    });
    let rows = page.points.iter().map(|point| {
        let cells = point.available.iter();
        let cells = cells.map(|count| format!("<td class=\"number\">{count}</td>"));
        format!(
            "<tr><th scope=\"row\">{}</th>{}</tr>\n",
            second(point.second),
            cells.collect::<String>()
        )
    });
    format!(
        "<details>\n<summary>The picture as numbers</summary>\n<table>\n\
         <caption>Available pods of each version</caption>\n<thead><tr><th scope=\"col\">After</th>\
         {}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</details>\n",
        heads.collect::<String>(),
        rows.collect::<String>()
    )
}
