//! What users feel of a deploy, in one table and one chart: how long they wait for it besides their
//! pods, what it asks of their API server, and what it costs.

use crate::candidate::LANDFALL;
use crate::load::{bytes, rollout};
use crate::plot::{Bar, Panel, draw};
use crate::price;
use crate::report::{Figures, MEMORY, Row, header, number, or_dash, table, time};
use crate::spread::Spread;
use serde_json::Value;

/// The rollout whose price is told, in seconds.
const MINUTE: f64 = 60.0;
const KUBECTL: &str = "kubectl";
const CODEBUILD: &str = "kubectl in CodeBuild";
const EKS_ACTION: &str = "AWS's EKS action";

/// Where the chart's figures of a build are from.
const CHART: &str = "\
![How long a deploy takes to begin, its price and its calls, beside CodeBuild and AWS's EKS \
action](felt.svg)

In the chart, a deploy begins when CodePipeline's job has started the program: for Landfall that \
is a cold process up to its report, without the time that Lambda needs to place it, which was not \
measured; for CodeBuild the provisioning and the source of \
[a published build](https://blog.kriation.com/2021/codebuild-cache-for-jekyll-build.html) (2021). \
AWS's EKS action runs on CodeBuild's compute and is \
[billed for it](https://aws.amazon.com/codepipeline/pricing/); it cannot be run here, so it has the \
figures of CodeBuild with general1.small.

";

impl Figures {
    /// The table that `docs/performance.md` begins with.
    pub(crate) fn felt(&self) -> String {
        let load = self.load.as_ref();
        let head = [
            "from \"pods ready\" to \"reported\"",
            "calls, 3 pods",
            "read",
            "1,000 deploys, USD",
        ];
        let asked = |name: &str| {
            let figure = |path: &str| rollout(load?, name, path);
            [
                or_dash(figure("/calls"), |calls| format!("{calls:.0}")),
                or_dash(figure("/read"), bytes),
            ]
        };
        let mut rows = vec![header("a rollout of a minute", &head)];
        for row in &self.rows {
            let end = Spread::of(row.ends.iter().copied());
            let mut cells = vec![row.title.to_owned(), or_dash(end, |end| time(end.median))];
            cells.extend(asked(row.name));
            cells.push(or_dash(of_minute(row), thousand));
            rows.push(cells);
        }
        let mut cells = vec![CODEBUILD.to_owned(), or_dash(None::<f64>, time)];
        cells.extend(asked(KUBECTL));
        cells.push(thousand(price::build(MINUTE)));
        rows.push(cells);
        let doom = Spread::of(self.doom.iter().copied()).map(|doom| {
            format!(
                "\nFrom the moment when pods show that they cannot start to the write that takes \
                 the version back: {} (median), {} at worst.\n",
                time(doom.median),
                time(doom.worst)
            )
        });
        format!("{CHART}{}{}", table(&rows), doom.unwrap_or_default())
    }

    /// The chart in README: time and price beside CodeBuild and AWS's EKS action, which runs there.
    pub(crate) fn felt_chart(&self) -> Option<String> {
        let ours = self.rows.iter().find(|row| row.name == LANDFALL)?;
        let cold = Spread::of(ours.deploys.cold.iter().copied())?.median / 1000.0;
        let bar = |title: &str, value: f64, text: String| Bar {
            title: title.to_owned(),
            ours: title == ours.title,
            value,
            text,
        };
        let three = |ours_value: f64, theirs: f64, unit: &dyn Fn(f64) -> String| {
            [
                (ours.title, ours_value),
                (CODEBUILD, theirs),
                (EKS_ACTION, theirs),
            ]
            .map(|(title, value)| bar(title, value, unit(value)))
            .to_vec()
        };
        let seconds = |value: f64| match value {
            short if short < 1.0 => format!("{} ms", number(short * 1000.0)),
            long => format!("{long:.0} s"),
        };
        let dollars = |value: f64| format!("{value:.2} USD");
        let mut panels = vec![
            Panel {
                title: "Until the deploy begins".to_owned(),
                bars: three(cold, price::BEFORE_BUILD, &seconds),
            },
            Panel {
                title: "Price of 1,000 deploys whose rollout takes a minute".to_owned(),
                bars: three(
                    of_minute(ours)? * 1000.0,
                    price::build(MINUTE) * 1000.0,
                    &dollars,
                ),
            },
        ];
        panels.extend(
            self.load
                .as_ref()
                .and_then(|load| calls(load, ours.title, bar)),
        );
        let label = "Landfall beside kubectl in CodeBuild and AWS's EKS action: time and price";
        Some(draw(label, &panels))
    }
}

/// The calls of a rollout of a minute; AWS's action cannot be run here.
fn calls(load: &Value, ours: &str, bar: impl Fn(&str, f64, String) -> Bar) -> Option<Panel> {
    let of = |name: &str| rollout(load, name, "/calls");
    let bars = [(ours, of(LANDFALL)?), (CODEBUILD, of(KUBECTL)?)];
    Some(Panel {
        title: "Calls to the API server in it, three pods".to_owned(),
        bars: bars
            .map(|(title, value)| bar(title, value, format!("{value:.0}")))
            .to_vec(),
    })
}

/// The price of one deploy whose rollout takes a minute.
fn of_minute(row: &Row) -> Option<f64> {
    let cold = Spread::of(row.deploys.cold.iter().copied())?.median;
    Some(price::invocation(MEMORY, cold + MINUTE * 1000.0))
}

fn thousand(price: f64) -> String {
    format!("{:.2}", price * 1000.0)
}

#[cfg(test)]
mod tests;
