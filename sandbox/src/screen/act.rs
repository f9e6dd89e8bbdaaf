//! An act of the demo on the whole screen: its heading, the pipeline, the pods, the last calls.

use super::tone::{Tone, toned};
use crate::pipeline::{Deploy, Pipeline};
use crate::terminal::{padded, paint, wrap};
use std::collections::VecDeque;
use std::time::Instant;

/// Calls that are remembered: more than fit below a picture.
const MEMORY: usize = 60;
/// Fewer lines say nothing.
const FEWEST: usize = 2;
const BANNER: &str = "▲ Landfall";

/// An act of the demo.
pub(crate) struct Act {
    number: usize,
    of: usize,
    heading: &'static str,
    story: &'static str,
    /// The pipeline as it is shown.
    pub(crate) pipeline: Pipeline,
    since: Instant,
    calls: VecDeque<(Tone, String)>,
}

impl Act {
    /// One that begins now.
    pub(crate) fn new(
        (number, of): (usize, usize),
        (heading, story): (&'static str, &'static str),
        pipeline: Pipeline,
    ) -> Act {
        Act {
            number,
            of,
            heading,
            story,
            pipeline,
            since: Instant::now(),
            calls: VecDeque::new(),
        }
    }

    /// Its heading in a log.
    pub(super) fn log(&self) -> Vec<String> {
        let heading = format!("{} of {}  {}", self.number, self.of, self.heading);
        let empty = String::new;
        vec![empty(), heading, self.story.to_owned(), empty()]
    }

    /// A call, or what else happens.
    pub(super) fn call(&mut self, tone: Tone, text: &str) {
        self.calls.push_back((tone, text.to_owned()));
        while self.calls.len() > MEMORY {
            self.calls.pop_front();
        }
    }

    pub(super) fn forget_calls(&mut self) {
        self.calls.clear();
    }

    /// All lines, of which there are fewer than the terminal has.
    pub(super) fn lines(&self, picture: &[String], width: usize, height: usize) -> Vec<String> {
        let place = format!("{} of {}", self.number, self.of);
        let what = "deploys from AWS CodePipeline to Kubernetes";
        let room = width - BANNER.chars().count() - place.len() - 8;
        let what = if what.len() <= room { what } else { "" };
        let banner = format!(
            "  {}  {}  {}",
            paint("1;36", BANNER),
            padded(&paint("90", what), room),
            paint("1", &place)
        );
        let mut lines = vec![banner, String::new()];
        lines.push(format!("  {}", paint("1", self.heading)));
        let story = wrap(self.story, width - 4).into_iter();
        lines.extend(story.map(|line| format!("  {line}")));
        lines.push(String::new());
        let mut pipeline = self.pipeline.clone();
        if let Deploy::Running(seconds) = &mut pipeline.deploy {
            *seconds = self.since.elapsed().as_secs();
        }
        lines.extend(pipeline.lines(width));
        lines.push(String::new());
        lines.extend(picture.iter().cloned());
        let room = height.saturating_sub(lines.len() + 2);
        if room >= FEWEST && !self.calls.is_empty() {
            lines.push(String::new());
            let calls = self.calls.iter();
            let calls = calls.flat_map(|(tone, text)| toned(*tone, text, width));
            let calls = calls.collect::<Vec<_>>();
            lines.extend_from_slice(&calls[calls.len().saturating_sub(room)..]);
        }
        // The last line stays free, so that nothing scrolls.
        lines.truncate(height.saturating_sub(1));
        lines
    }
}
