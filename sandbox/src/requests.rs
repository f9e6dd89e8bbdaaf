//! What the requests get, each as a dot: the weights of a route, seen as traffic.

use crate::terminal::{columns, padded, paint};
use std::collections::{BTreeMap, VecDeque};

/// Dots that are remembered: more than fit into the widest line.
const MEMORY: usize = 200;
/// The beginning of the line.
const LABEL: &str = "  requests  ";

/// The requests that one version gets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Share {
    /// The version: `new 2.0`.
    pub(crate) version: String,
    /// Its part of all requests, from 0 to 1.
    pub(crate) part: f64,
    /// What it does with them.
    pub(crate) mark: Mark,
}

/// How a request is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Old,
    New,
    /// It is answered with an error.
    Error,
}

impl Mark {
    fn dot(self) -> String {
        match self {
            Mark::Old => paint("36", "•"),
            Mark::New => paint("35", "◆"),
            Mark::Error => paint("31", "×"),
        }
    }
}

/// The last requests, oldest first.
#[derive(Default)]
pub(crate) struct Requests {
    dots: VecDeque<Mark>,
    /// What each version has to its credit: the one with most gets the next request.
    credit: BTreeMap<String, f64>,
}

impl Requests {
    /// One more request comes in.
    pub(crate) fn flow(&mut self, shares: &[Share]) {
        self.credit
            .retain(|version, _| shares.iter().any(|share| share.version == *version));
        for share in shares {
            *self.credit.entry(share.version.clone()).or_default() += share.part;
        }
        let credit = |share: &&Share| self.credit.get(&share.version).copied().unwrap_or(0.0);
        let next = shares.iter().max_by(|a, b| credit(a).total_cmp(&credit(b)));
        let Some(next) = next else { return };
        self.dots.push_back(next.mark);
        if let Some(credit) = self.credit.get_mut(&next.version) {
            *credit -= 1.0;
        }
        while self.dots.len() > MEMORY {
            self.dots.pop_front();
        }
    }

    /// The newest dots that fit, and below them whose they are.
    pub(crate) fn lines(&self, shares: &[Share], width: usize) -> Vec<String> {
        if shares.is_empty() {
            return Vec::new();
        }
        let room = width - columns(LABEL) - 2;
        let skipped = self.dots.len().saturating_sub(room);
        let dots = self.dots.iter().skip(skipped).map(|mark| mark.dot());
        let names = shares.iter().map(|share| {
            let percent = percent(share.part);
            format!("{} {} {percent} %", share.mark.dot(), share.version)
        });
        let names = names.collect::<Vec<_>>().join("   ");
        vec![
            format!("{LABEL}{}", dots.collect::<String>()),
            format!("{}{names}", padded("", columns(LABEL))),
        ]
    }
}

/// The shares in words, for a log.
pub(crate) fn words(shares: &[Share]) -> String {
    let words = shares.iter().map(|share| {
        let what = match share.mark {
            Mark::Error => ", with errors",
            Mark::Old | Mark::New => "",
        };
        format!("{} {} %{what}", share.version, percent(share.part))
    });
    format!("requests: {}", words.collect::<Vec<_>>().join("; "))
}

/// A part of 1 as a whole number of percent.
fn percent(part: f64) -> u8 {
    let fits = |percent: &u8| f64::from(*percent) <= part * 100.0 + 0.5;
    (0..=100).rfind(fits).unwrap_or(0)
}

#[cfg(test)]
mod tests;
