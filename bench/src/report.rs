//! The figures, as tables for people and as JSON for programs.

use crate::candidate::{FLOOR, LANDFALL};
use crate::crowd::Crowd;
use crate::deploys::{After, Deploys, JOBS, STAGES};
use crate::price;
use crate::rollouts::Waited;
use crate::spread::Spread;
use serde_json::{Value, json};

/// The function's memory in MB for the price.
pub(crate) const MEMORY: u32 = 256;

/// All measurements.
pub(crate) struct Figures {
    pub(crate) date: String,
    pub(crate) rounds: usize,
    /// The number of processors.
    pub(crate) processors: usize,
    /// The time of a process that does nothing, in milliseconds.
    pub(crate) bare: Vec<f64>,
    /// The length of the long rollout in seconds.
    pub(crate) rollout: f64,
    pub(crate) rows: Vec<Row>,
    pub(crate) crowds: Vec<Crowd>,
    /// The result of `real`.
    pub(crate) real: Option<Value>,
    /// The result of `load`.
    pub(crate) load: Option<Value>,
    /// From what pods show to what is done about it, in milliseconds.
    pub(crate) doom: Vec<f64>,
    pub(crate) missing: Vec<&'static str>,
}

/// The measurements of one candidate.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) package: Option<u64>,
    pub(crate) deploys: Deploys,
    pub(crate) ends: Vec<f64>,
    pub(crate) waited: Option<Waited>,
    pub(crate) after: Vec<After>,
}

/// A Markdown table with aligned columns, which is also readable as plain text.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = (0..columns).map(width).collect::<Vec<_>>();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, width) in widths.iter().enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            // Names on the left, figures on the right.
            text += &match column {
                0 => format!("| {cell:<width$} "),
                _ => format!("| {cell:>width$} "),
            };
        }
        text += "|\n";
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let dashes = "-".repeat(*width);
                text += &if column == 0 {
                    format!("|-{dashes}-")
                } else {
                    format!("|-{dashes}:")
                };
            }
            text += "|\n";
        }
    }
    text
}

pub(crate) fn header(first: &str, others: &[&str]) -> Vec<String> {
    [first]
        .iter()
        .chain(others)
        .map(|cell| (*cell).to_owned())
        .collect()
}

/// As many digits as a measurement bears.
pub(crate) fn number(value: f64) -> String {
    match value {
        small if small < 9.95 => format!("{small:.1}"),
        large => format!("{large:.0}"),
    }
}

pub(crate) fn time(value: f64) -> String {
    format!("{} ms", number(value))
}

pub(crate) fn or_dash<T>(value: Option<T>, write: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), write)
}

fn median(samples: &[f64]) -> Option<f64> {
    Spread::of(samples.iter().copied()).map(|spread| spread.median)
}

fn range(samples: &[f64]) -> String {
    or_dash(Spread::of(samples.iter().copied()), |spread| {
        format!("{} to {} ms", number(spread.best), number(spread.ninety))
    })
}

impl Figures {
    pub(crate) fn text(&self) -> String {
        let bare = or_dash(median(&self.bare), time);
        let mut text = format!(
            "{}, {} processors, {} rounds; a process that does nothing takes {bare} here.\n",
            self.date, self.processors, self.rounds
        );
        for name in &self.missing {
            text += &format!("Not measured, because it could not be made here: {name}.\n");
        }
        let seconds = number(self.rollout);
        let parts = [
            (
                "A deploy whose rollout is done at once".to_owned(),
                self.deploys(),
            ),
            ("Its spread: best to nine in ten".to_owned(), self.spreads()),
            (
                format!("Following a rollout, and one of {seconds} s"),
                self.rollouts(),
            ),
            (
                "Job after job in one process: the last one, and the memory".to_owned(),
                self.jobs(),
            ),
            (
                "A cold deploy by its stages, from the start of the process".to_owned(),
                self.stages(),
            ),
            (
                "Pods under diagnosis, by Landfall".to_owned(),
                self.crowds(),
            ),
            (
                format!("Price of 1,000 deploys, USD ({})", price::DATE),
                self.prices(),
            ),
            (
                "A cold deploy to real Kubernetes".to_owned(),
                self.real_rows(),
            ),
        ];
        for (title, table) in parts {
            if let Some(table) = table {
                text += &format!("\n### {title}\n\n{table}");
            }
        }
        text
    }

    /// How many times what another candidate needs.
    fn times(&self, row: &Row, other: &str, figure: fn(&Row) -> Option<f64>) -> Option<f64> {
        let other = self.rows.iter().find(|row| row.name == other)?;
        Some(figure(row)? / figure(other)?)
    }

    fn deploys(&self) -> Option<String> {
        let titles = [
            "cold",
            "× Landfall",
            "× floor",
            "warm",
            "CPU cold",
            "CPU warm",
            "memory",
            "package",
            "cluster calls",
            "AWS calls",
        ];
        let mut rows = vec![header("", &titles)];
        for row in &self.rows {
            let deploys = &row.deploys;
            let cold: fn(&Row) -> Option<f64> = |row| median(&row.deploys.cold);
            let (calls, warm) = (deploys.cold_calls, deploys.warm_calls);
            let both = |cold: usize, warm: usize| match cold == warm {
                true => cold.to_string(),
                false => format!("{cold}, warm {warm}"),
            };
            rows.push(vec![
                row.title.to_owned(),
                or_dash(cold(row), time),
                or_dash(self.times(row, LANDFALL, cold), number),
                or_dash(self.times(row, FLOOR, cold), number),
                or_dash(median(&deploys.warm), time),
                or_dash(median(&deploys.cold_cpu), time),
                or_dash(median(&deploys.warm_cpu), time),
                format!("{} MiB", number(deploys.peak)),
                or_dash(row.package, |bytes| format!("{:.1} MB", bytes as f64 / 1e6)),
                both(calls.cluster, warm.cluster),
                both(calls.aws, warm.aws),
            ]);
        }
        Some(table(&rows))
    }

    fn spreads(&self) -> Option<String> {
        let mut rows = vec![header("", &["cold", "warm", "CPU cold"])];
        rows.extend(self.rows.iter().map(|row| {
            let deploys = &row.deploys;
            let spreads = [&deploys.cold, &deploys.warm, &deploys.cold_cpu];
            let cells = spreads.into_iter().map(|samples| range(samples));
            [row.title.to_owned()].into_iter().chain(cells).collect()
        }));
        Some(table(&rows))
    }

    fn rollouts(&self) -> Option<String> {
        let titles = [
            "told after its end",
            "at worst",
            "CPU of the long one",
            "memory",
            "calls",
        ];
        let mut rows = vec![header("", &titles)];
        rows.extend(self.rows.iter().map(|row| {
            let ends = Spread::of(row.ends.iter().copied());
            vec![
                row.title.to_owned(),
                or_dash(ends, |ends| time(ends.median)),
                or_dash(ends, |ends| time(ends.worst)),
                or_dash(row.waited, |waited| time(waited.cpu)),
                or_dash(row.waited, |waited| format!("{} MiB", number(waited.peak))),
                or_dash(row.waited, |waited| waited.cluster_calls.to_string()),
            ]
        }));
        Some(table(&rows))
    }

    fn jobs(&self) -> Option<String> {
        let titles = JOBS.map(|jobs| format!("{jobs}"));
        let mut rows = vec![header("jobs", &titles.each_ref().map(String::as_str))];
        rows.extend(self.rows.iter().map(|row| {
            let cell = |after: &After| format!("{}, {} MiB", time(after.last), number(after.peak));
            [row.title.to_owned()]
                .into_iter()
                .chain(row.after.iter().map(cell))
                .collect()
        }));
        Some(table(&rows))
    }

    fn stages(&self) -> Option<String> {
        let names = self.rows.iter().map(|row| row.name).collect::<Vec<_>>();
        let mut rows = vec![header("", &names)];
        for (number, stage) in STAGES.iter().enumerate() {
            let cells = self.rows.iter().map(|row| or_dash(row.stage(number), time));
            rows.push([(*stage).to_owned()].into_iter().chain(cells).collect());
        }
        Some(table(&rows))
    }

    fn crowds(&self) -> Option<String> {
        let mut rows = vec![header("pods", &["a look at them", "JSON", "memory"])];
        rows.extend(self.crowds.iter().map(|crowd| {
            vec![
                crowd.pods.to_string(),
                or_dash(median(&crowd.looks), time),
                format!("{:.2} MiB", crowd.size),
                format!("{} MiB", number(crowd.peak)),
            ]
        }));
        (rows.len() > 1).then(|| table(&rows))
    }

    fn prices(&self) -> Option<String> {
        let seconds = format!("rollout of {} s", number(self.rollout));
        let mut rows = vec![header("", &["rollout done at once", &seconds])];
        let thousand = |price: f64| format!("{:.4}", price * 1000.0);
        for row in &self.rows {
            let [at_once, long] = row.prices();
            rows.push(vec![
                format!("{}, {MEMORY} MB on arm64", row.title),
                or_dash(at_once, thousand),
                or_dash(long, thousand),
            ]);
        }
        rows.push(vec![
            "kubectl in CodeBuild, general1.small".to_owned(),
            thousand(price::build(0.0)),
            thousand(price::build(self.rollout)),
        ]);
        Some(table(&rows))
    }

    fn real_rows(&self) -> Option<String> {
        let real = self.real.as_ref()?;
        let version = format!("Kubernetes {}", real["version"].as_str()?);
        let mut rows = vec![header(
            &version,
            &["start to end", "at worst", "CPU", "memory"],
        )];
        for row in real["rows"].as_array()? {
            let figure = |path: &str| row.pointer(path).and_then(Value::as_f64);
            rows.push(vec![
                row["title"].as_str()?.to_owned(),
                or_dash(figure("/seconds/median"), |seconds| {
                    format!("{seconds:.2} s")
                }),
                or_dash(figure("/seconds/worst"), |seconds| {
                    format!("{seconds:.2} s")
                }),
                or_dash(figure("/cpu/median"), time),
                or_dash(figure("/peak"), |peak| format!("{} MiB", number(peak))),
            ]);
        }
        Some(table(&rows))
    }

    pub(crate) fn json(&self) -> Value {
        let spread =
            |samples: &[f64]| Spread::of(samples.iter().copied()).map(|spread| spread.json());
        let rows = self.rows.iter().map(Row::json).collect::<Vec<_>>();
        let crowds = self.crowds.iter().map(|crowd| {
            json!({"pods": crowd.pods, "looks": spread(&crowd.looks), "size": crowd.size,
                "peak": crowd.peak})
        });
        json!({
            "date": self.date, "rounds": self.rounds, "processors": self.processors,
            "units": "milliseconds, MiB, seconds of rollouts, bytes of packages, USD a deploy",
            "bare": spread(&self.bare), "rollout": self.rollout, "candidates": rows,
            "pods": crowds.collect::<Vec<_>>(), "real": self.real,
            "load": self.load, "doom": spread(&self.doom), "missing": self.missing,
            "prices": {"date": price::DATE, "sources": price::SOURCES, "memory": MEMORY,
                "kubectl": [price::build(0.0), price::build(self.rollout)]},
        })
    }
}

impl Row {
    fn stage(&self, number: usize) -> Option<f64> {
        let times = self
            .deploys
            .stages
            .iter()
            .filter_map(|stages| stages[number]);
        Spread::of(times).map(|spread| spread.median)
    }

    /// Of a deploy whose rollout is done at once, and of the long one, in USD.
    fn prices(&self) -> [Option<f64>; 2] {
        let price = |time: f64| price::invocation(MEMORY, time);
        let long = self.waited.map(|waited| waited.seconds * 1000.0);
        [median(&self.deploys.cold).map(price), long.map(price)]
    }

    fn json(&self) -> Value {
        let spread =
            |samples: &[f64]| Spread::of(samples.iter().copied()).map(|spread| spread.json());
        let (deploys, [at_once, long]) = (&self.deploys, self.prices());
        let stages = STAGES.iter().enumerate();
        let stages = stages.map(|(number, name)| ((*name).to_owned(), json!(self.stage(number))));
        let after = self
            .after
            .iter()
            .map(|after| json!({"jobs": after.jobs, "last": after.last, "peak": after.peak}));
        let waited = self.waited.map(|waited| {
            json!({"seconds": waited.seconds, "cpu": waited.cpu, "peak": waited.peak,
                "clusterCalls": waited.cluster_calls})
        });
        json!({
            "name": self.name, "title": self.title, "package": self.package,
            "cold": spread(&deploys.cold), "warm": spread(&deploys.warm),
            "coldCpu": spread(&deploys.cold_cpu), "warmCpu": spread(&deploys.warm_cpu),
            "peak": deploys.peak,
            "coldCalls": {"cluster": deploys.cold_calls.cluster, "aws": deploys.cold_calls.aws},
            "warmCalls": {"cluster": deploys.warm_calls.cluster, "aws": deploys.warm_calls.aws},
            "stages": stages.collect::<serde_json::Map<_, _>>(),
            "toldAfterEnd": spread(&self.ends), "waited": waited,
            "jobs": after.collect::<Vec<_>>(), "price": at_once, "priceOfLongRollout": long,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
