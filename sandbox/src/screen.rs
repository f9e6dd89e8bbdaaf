//! The terminal: a scrolling log, and a live picture below it.

use crate::picture::{Picture, Row, WIDTH, clip};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

/// The style of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Heading,
    Normal,
    Faint,
    Good,
    Bad,
}

/// Standard output, as a terminal that is redrawn in place or as a plain log.
pub(crate) struct Screen {
    pub(crate) live: bool,
    pub(crate) started: Instant,
    pub(crate) shown: Picture,
    pub(crate) drawn: usize,
}

impl Screen {
    /// Live only on a terminal that supports colours.
    pub(crate) fn new(plain: bool) -> Screen {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let live = !plain && !dumb && !set("NO_COLOR") && io::stdout().is_terminal();
        let screen = Screen {
            live,
            started: Instant::now(),
            shown: Picture::default(),
            drawn: 0,
        };
        if live {
            // No cursor, and no wrapping: a wrapped line would count as two.
            write("\x1b[?25l\x1b[?7l");
        }
        screen
    }

    /// Prints a permanent line above the picture.
    pub(crate) fn say(&mut self, tone: Tone, text: &str) {
        if !self.live {
            const TIME: usize = 9;
            let seconds = self.started.elapsed().as_secs_f64();
            return match tone {
                Tone::Heading => write(&format!("{text}\n")),
                // The function's log is printed in full.
                Tone::Faint => write(&format!("{seconds:6.1}s  {text}\n")),
                Tone::Normal | Tone::Good | Tone::Bad => {
                    write(&format!("{seconds:6.1}s  {}\n", clip(text, WIDTH - TIME)));
                }
            };
        }
        let colour = match tone {
            Tone::Heading => "1",
            Tone::Normal => "0",
            Tone::Faint => "90",
            Tone::Good => "32",
            Tone::Bad => "31",
        };
        if tone == Tone::Faint {
            // Printed in full: the terminal wraps the line, so the picture below must be erased
            // first.
            let line = format!("\x1b[J\x1b[?7h  \x1b[{colour}m{text}\x1b[0m\x1b[?7l");
            return self.draw(&[line]);
        }
        let line = format!("  \x1b[{colour}m{}\x1b[0m", clip(text, WIDTH - 2));
        self.draw(&[line]);
    }

    /// Prints lines without a time, such as a report.
    pub(crate) fn print(&mut self, lines: &[String]) {
        if self.live {
            return self.draw(lines);
        }
        for line in lines {
            write(&format!("{line}\n"));
        }
    }

    /// Shows a new picture if it differs from the last one.
    pub(crate) fn show(&mut self, picture: Picture) {
        if picture == self.shown {
            return;
        }
        if self.live {
            self.shown = picture;
            return self.draw(&[]);
        }
        for line in changes(&self.shown, &picture) {
            self.say(Tone::Normal, &line);
        }
        self.shown = picture;
    }

    /// Keeps the picture and continues below it.
    pub(crate) fn leave(&mut self) {
        self.drawn = 0;
        self.shown = Picture::default();
    }

    /// Writes each change at once, so that the terminal never shows a half-drawn picture.
    pub(crate) fn draw(&mut self, above: &[String]) {
        let mut text = String::from("\x1b[?2026h");
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn));
        }
        let picture = match self.shown.counters.is_empty() {
            true => Vec::new(),
            false => self.shown.lines(),
        };
        for line in above.iter().chain(&picture) {
            // Erased first: after a full line the cursor is on its last character.
            text.push_str(&format!("\x1b[K{line}\n"));
        }
        text.push_str("\x1b[J\x1b[?2026l");
        self.drawn = picture.len();
        write(&text);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.live {
            write("\x1b[?7h\x1b[?25h");
        }
    }
}

/// A reader that has closed its end, like `head`, must not stop the deploy.
pub(crate) fn write(text: &str) {
    let mut output = io::stdout().lock();
    let _gone = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// The lines of the plain log for a change: each pod that is new, changed or gone.
pub(crate) fn changes(before: &Picture, after: &Picture) -> Vec<String> {
    let by_name = |picture: &Picture| -> BTreeMap<String, Row> {
        let rows = picture.rows.iter();
        rows.map(|row| (row.name.clone(), row.clone())).collect()
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
    lines
}
