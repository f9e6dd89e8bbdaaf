//! What was seen of a deploy over time, for the page of its report. It is small, as it goes from
//! one invocation to the next in the continuation token.

use crate::text::clip;
use serde::{Deserialize, Serialize};

/// The most versions: the new one, the previous one, and what others deploy beside them.
const VERSIONS: usize = 4;

/// The most points of the curves; every second one goes where there are more.
const POINTS: usize = 60;

/// The most marks: a deploy has fewer than ten phases, and a canary fewer than ten steps.
const MARKS: usize = 40;

/// How much is kept of a version's name and of its image.
const NAME_LIMIT: usize = 63;

/// What was seen of a deploy over time. Times are seconds since it began.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Timeline {
    /// The versions, in the order in which they were seen.
    #[serde(rename = "v", skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<(String, String)>,
    /// A time, then the available pods of each version that was known by then.
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Vec<i64>>,
    /// What happened.
    #[serde(rename = "m", skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<(i64, Mark)>,
    /// Whether points or marks were left out.
    #[serde(rename = "t", skip_serializing_if = "std::ops::Not::not")]
    pub is_thinned: bool,
    /// The calls to the cluster and the bytes that they brought, in earlier invocations.
    #[serde(rename = "c")]
    pub traffic: (u64, u64),
    /// When it was looked last.
    #[serde(rename = "l")]
    pub last: i64,
}

/// Something that happened during a deploy.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub enum Mark {
    /// A phase began.
    #[serde(rename = "p")]
    Phase(String),
    /// The new version gets this part of the traffic, in percent.
    #[serde(rename = "s")]
    Share(u8),
    /// Another invocation goes on; what was since this second is not seen.
    #[serde(rename = "r")]
    Resumed(i64),
}

/// A version as it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The name of its object.
    pub name: String,
    /// Its first image.
    pub image: String,
    /// Its available pods.
    pub available: i64,
    /// Whether it has pods, or is to have some.
    pub is_up: bool,
}

impl Timeline {
    /// Takes a look at the versions, and the share of the traffic that the new one has. What was
    /// not seen is as it was before.
    pub fn see(&mut self, second: i64, seen: &[Seen], share: Option<u8>) {
        if !seen.is_empty() {
            self.last = second;
        }
        let last = self.points.last().map(|point| point[1..].to_vec());
        let mut now = last.clone().unwrap_or_default();
        now.resize(self.versions.len(), 0);
        for one in seen {
            let name = end_of(&one.name);
            let known = self.versions.iter().position(|(known, _)| *known == name);
            match known {
                Some(place) => now[place] = one.available,
                None if one.is_up && now.len() < VERSIONS => {
                    self.versions.push((name, end_of(&one.image)));
                    now.push(one.available);
                }
                None => {}
            }
        }
        if !now.is_empty() && last.as_ref() != Some(&now) {
            let mut point = vec![second];
            point.append(&mut now);
            match self.points.last_mut() {
                Some(last) if last[0] == second => *last = point,
                Some(_) | None => self.points.push(point),
            }
        }
        if self.points.len() > POINTS {
            self.thin_points();
        }
        if let Some(share) = share
            && self.share() != share
        {
            self.mark(second, Mark::Share(share));
        }
    }

    /// Notes that something happened.
    pub fn mark(&mut self, second: i64, mark: Mark) {
        match self.marks.len() < MARKS {
            true => self.marks.push((second, mark)),
            false => self.is_thinned = true,
        }
    }

    /// Leaves something out, so that the token fits; false where nothing is left.
    pub fn thin(&mut self) -> bool {
        if self.points.len() > 2 {
            self.thin_points();
        } else if !self.points.is_empty() {
            self.points.clear();
            self.versions.clear();
        } else if self.marks.pop().is_none() {
            return false;
        }
        self.is_thinned = true;
        true
    }

    /// Keeps the first point, every second one, and the last.
    fn thin_points(&mut self) {
        let last = self.points.len().saturating_sub(1);
        let mut place = 0;
        self.points.retain(|_| {
            let is_kept = place % 2 == 0 || place == last;
            place += 1;
            is_kept
        });
        self.is_thinned = true;
    }

    /// The share of the new version as it was marked last.
    fn share(&self) -> u8 {
        let mut marks = self.marks.iter().rev();
        let found = marks.find_map(|(_, mark)| match mark {
            Mark::Share(percent) => Some(*percent),
            Mark::Phase(_) | Mark::Resumed(_) => None,
        });
        found.unwrap_or(0)
    }
}

/// What is kept of a name or an image: its end, where versions differ.
fn end_of(text: &str) -> String {
    let from = text.len().saturating_sub(NAME_LIMIT - '…'.len_utf8());
    match (text.len() > NAME_LIMIT, text.get(from..)) {
        (true, Some(end)) => format!("…{end}"),
        _ => clip(text, NAME_LIMIT),
    }
}

#[cfg(test)]
mod tests;
