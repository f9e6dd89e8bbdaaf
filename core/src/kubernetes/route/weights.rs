//! The weights of a place: whole numbers, each relative to the sum.

/// The weights of a place as the controllers take them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Weights {
    pub(super) service: u32,
    pub(super) canary: u32,
    pub(super) others: Vec<u32>,
}

/// The weights of a place as they are written there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) service: Option<u32>,
    /// `None` where the candidate's Service is not in the list.
    pub(super) canary: Option<Option<u32>>,
    pub(super) others: Vec<Option<u32>>,
}

impl Weights {
    /// As they are written.
    pub(super) fn weights(&self) -> Written {
        Written {
            service: Some(self.service),
            canary: Some(Some(self.canary)),
            others: self.others.iter().copied().map(Some).collect(),
        }
    }

    /// The candidate's share of what our Service gets, in percent, rounded up: more than nothing
    /// is never nothing.
    pub(super) fn percent(&self) -> u8 {
        let sum = u64::from(self.service) + u64::from(self.canary);
        let share = (u64::from(self.canary) * 100).div_ceil(sum.max(1));
        u8::try_from(share).unwrap_or(100)
    }

    /// The same to the nearest whole percent.
    pub(super) fn nearest(&self) -> u8 {
        let sum = (u64::from(self.service) + u64::from(self.canary)).max(1);
        let share = (u64::from(self.canary) * 100 + sum / 2) / sum;
        u8::try_from(share).unwrap_or(100)
    }

    /// Whether the candidate gets this share, to the nearest whole percent.
    pub(super) fn gives(&self, percent: u8) -> bool {
        self.nearest() == percent.min(100)
    }

    /// Our Service's weight and the candidate's.
    pub(super) fn pair(&self) -> (u32, u32) {
        (self.service, self.canary)
    }

    /// What both get together, and the sum of all.
    pub(super) fn share(&self) -> (u64, u64) {
        let ours = u64::from(self.service) + u64::from(self.canary);
        let others = self.others.iter().copied().map(u64::from).sum::<u64>();
        (ours, ours + others)
    }
}
