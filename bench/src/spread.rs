//! The median and the ends of a sample.

use serde_json::{Value, json};

/// Nearest-rank figures of a sample; each is a measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) best: f64,
    pub(crate) median: f64,
    /// Nine of ten values are at most this.
    pub(crate) ninety: f64,
    pub(crate) worst: f64,
}

impl Spread {
    /// Returns `None` for an empty sample.
    pub(crate) fn of(samples: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut samples = samples.into_iter().collect::<Vec<_>>();
        samples.sort_by(f64::total_cmp);
        let rank = |percent: usize| samples[(samples.len() * percent).div_ceil(100).max(1) - 1];
        (!samples.is_empty()).then(|| Spread {
            count: samples.len(),
            best: rank(0),
            median: rank(50),
            ninety: rank(90),
            worst: rank(100),
        })
    }

    pub(crate) fn json(&self) -> Value {
        json!({"count": self.count, "best": self.best, "median": self.median,
            "ninety": self.ninety, "worst": self.worst})
    }
}

#[cfg(test)]
mod tests;
