//! The terminal: a scrolling log, and a live picture below it; or an act of the demo, which has the
//! whole screen.
//!
//! If standard output is not a terminal, it is a plain log with a line per change.

mod act;
mod tone;

use crate::picture::{Picture, Row, Sign};
use crate::requests::{Requests, words};
use crate::terminal::{WIDTH, can_redraw, has_colours, plain, size, write};
pub(crate) use act::Act;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
pub(crate) use tone::Tone;
use tone::toned;

/// How long a pod is shown after it is gone.
const FAREWELL: Duration = Duration::from_millis(1500);
/// No cursor, and no wrapping: a wrapped line would count as two.
const BEGIN: &str = "\x1b[?25l\x1b[?7l";
const END: &str = "\x1b[?7h\x1b[?25h";

/// Standard output, as a terminal that is redrawn in place or as a plain log.
pub(crate) struct Screen {
    /// Whether there is a picture that is redrawn.
    pub(crate) live: bool,
    has_colours: bool,
    started: Instant,
    shown: Picture,
    drawn: usize,
    requests: Requests,
    /// Pods that are gone, and since when.
    gone: Vec<(Row, Instant)>,
    act: Option<Act>,
    /// What is kept back, until it is its turn.
    kept: Option<String>,
}

impl Screen {
    /// Live only on a terminal.
    pub(crate) fn new(plain: bool) -> Screen {
        let live = !plain && can_redraw();
        if live {
            write(BEGIN);
        }
        Screen {
            live,
            has_colours: has_colours(),
            started: Instant::now(),
            shown: Picture::default(),
            drawn: 0,
            requests: Requests::default(),
            gone: Vec::new(),
            act: None,
            kept: None,
        }
    }

    /// A plain log that is kept back.
    pub(crate) fn kept() -> Screen {
        let mut screen = Screen::new(true);
        screen.kept = Some(String::new());
        screen
    }

    /// What was kept back.
    pub(crate) fn taken(&mut self) -> String {
        self.kept.take().unwrap_or_default()
    }

    /// The width that lines may have.
    pub(crate) fn width(&self) -> usize {
        if self.live { size().0 } else { WIDTH }
    }

    fn write(&mut self, text: &str) {
        let text = match self.live && !self.has_colours {
            true => plain(text),
            false => text.to_owned(),
        };
        match &mut self.kept {
            Some(kept) => kept.push_str(&text),
            None => write(&text),
        }
    }

    /// Prints a permanent line above the picture.
    pub(crate) fn say(&mut self, tone: Tone, text: &str) {
        if !self.live {
            let seconds = self.started.elapsed().as_secs_f64();
            let line = match tone {
                Tone::Heading => format!("{text}\n"),
                Tone::Faint | Tone::Normal | Tone::Good | Tone::Bad => {
                    format!("{seconds:6.1}s  {text}\n")
                }
            };
            return self.write(&line);
        }
        let width = self.width();
        if let Some(act) = &mut self.act {
            act.call(tone, text);
            return self.draw_act();
        }
        let lines = toned(tone, text, width);
        self.draw(&lines);
    }

    /// Prints lines without a time, such as a report.
    pub(crate) fn print(&mut self, lines: &[String]) {
        if self.live {
            return self.draw(lines);
        }
        for line in lines {
            self.write(&format!("{}\n", plain(line)));
        }
    }

    /// Shows a new picture if it differs from the last one, or if requests come in.
    pub(crate) fn show(&mut self, picture: Picture) {
        if !self.live {
            for line in changes(&self.shown, &picture) {
                self.say(Tone::Normal, &line);
            }
            self.shown = picture;
            return;
        }
        self.requests.flow(&picture.requests);
        self.note_gone(&picture);
        let is_same = picture == self.shown;
        self.shown = picture;
        if self.act.is_some() {
            return self.draw_act();
        }
        if !is_same || !self.shown.requests.is_empty() {
            self.draw(&[]);
        }
    }

    fn note_gone(&mut self, picture: &Picture) {
        let is_there = |row: &Row| picture.rows.iter().any(|other| other.name == row.name);
        let gone = self.shown.rows.iter().filter(|row| !is_there(row));
        let gone = gone.map(|row| {
            let row = Row {
                sign: Sign::Gone,
                words: "gone".to_owned(),
                serves: false,
                ..row.clone()
            };
            (row, Instant::now())
        });
        self.gone.extend(gone);
        self.gone.retain(|(_, since)| since.elapsed() < FAREWELL);
    }

    /// The pods and what the requests get, in lines.
    fn picture(&self, width: usize) -> Vec<String> {
        if self.shown.counters.is_empty() && self.shown.rows.is_empty() {
            return Vec::new();
        }
        let mut picture = self.shown.clone();
        picture
            .rows
            .extend(self.gone.iter().map(|(row, _)| row.clone()));
        picture.sort();
        let mut lines = self.requests.lines(&picture.requests, width);
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(picture.lines(width));
        lines
    }

    /// Keeps the picture and continues below it.
    pub(crate) fn leave(&mut self) {
        self.drawn = 0;
        self.shown = Picture::default();
        self.gone.clear();
        self.requests = Requests::default();
    }

    /// An act of the demo begins: what was there before scrolls away.
    pub(crate) fn open(&mut self, act: Act) {
        if self.live {
            let (_, height) = size();
            self.write(&format!("{}\x1b[H", "\n".repeat(height)));
            self.act = Some(act);
            return self.draw_act();
        }
        for line in act.log() {
            self.say(Tone::Heading, &line);
        }
    }

    /// The act that has the screen.
    pub(crate) fn act(&mut self) -> Option<&mut Act> {
        self.act.as_mut()
    }

    /// The act is over, and its last picture stays.
    pub(crate) fn close(&mut self) {
        if let Some(mut act) = self.act.take() {
            act.forget_calls();
            self.act = Some(act);
            self.draw_act();
            self.act = None;
            self.write("\n");
        }
        self.leave();
    }

    fn draw_act(&mut self) {
        let Some(act) = &self.act else { return };
        let (width, height) = size();
        let lines = act.lines(&self.picture(width), width, height);
        let mut text = String::from("\x1b[?2026h\x1b[H");
        for line in lines {
            text.push_str(&format!("\x1b[K{line}\n"));
        }
        text.push_str("\x1b[J\x1b[?2026l");
        self.write(&text);
    }

    /// Writes each change at once, so that the terminal never shows a half-drawn picture.
    fn draw(&mut self, above: &[String]) {
        let mut text = String::from("\x1b[?2026h");
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn));
        }
        let mut picture = self.picture(self.width());
        if !picture.is_empty() {
            picture.insert(0, String::new());
            picture.push(String::new());
        }
        for line in above.iter().chain(&picture) {
            // Erased first: after a full line the cursor is on its last character.
            text.push_str(&format!("\x1b[K{line}\n"));
        }
        text.push_str("\x1b[J\x1b[?2026l");
        self.drawn = picture.len();
        self.write(&text);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.live {
            write(END);
        }
    }
}

/// The lines of the plain log for a change: each pod that is new, changed or gone.
pub(crate) fn changes(before: &Picture, after: &Picture) -> Vec<String> {
    // Which pods get requests is told for all together.
    let by_name = |picture: &Picture| -> BTreeMap<String, Row> {
        let rows = picture.rows.iter().cloned();
        let rows = rows.map(|row| Row {
            serves: false,
            ..row
        });
        rows.map(|row| (row.name.clone(), row)).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    let mut lines: Vec<String> = new
        .values()
        .filter(|row| old.get(&row.name) != Some(row))
        .map(|row| format!("pod {} ({}): {}", row.name, row.version, row.words))
        .collect();
    let gone = old.values().filter(|row| !new.contains_key(&row.name));
    lines.extend(gone.map(|row| format!("pod {} ({}): gone", row.name, row.version)));
    if before.counters != after.counters {
        lines.push(after.counters.clone());
    }
    if before.requests != after.requests && !after.requests.is_empty() {
        lines.push(words(&after.requests));
    }
    lines
}
