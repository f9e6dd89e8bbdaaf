//! The terminal: a log that scrolls, and a picture under it that moves.

use crate::picture::{Picture, Row, WIDTH, clip};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

/// How a line looks on a terminal.
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
    /// Live only on a terminal that wants colours.
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
            // No cursor, and no wrapping: a wrapped line would be two to go back over.
            write("\x1b[?25l\x1b[?7l");
        }
        screen
    }

    /// A line that stays, above the picture.
    pub(crate) fn say(&mut self, tone: Tone, text: &str) {
        if !self.live {
            const TIME: usize = 9;
            let seconds = self.started.elapsed().as_secs_f64();
            return match tone {
                Tone::Heading => write(&format!("{text}\n")),
                // The function's log is for reading whole.
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
            // Whole: the terminal wraps it, and what stood below must be gone first.
            let line = format!("\x1b[J\x1b[?7h  \x1b[{colour}m{text}\x1b[0m\x1b[?7l");
            return self.draw(&[line]);
        }
        let line = format!("  \x1b[{colour}m{}\x1b[0m", clip(text, WIDTH - 2));
        self.draw(&[line]);
    }

    /// Lines without a time before them, such as a report.
    pub(crate) fn print(&mut self, lines: &[String]) {
        if self.live {
            return self.draw(lines);
        }
        for line in lines {
            write(&format!("{line}\n"));
        }
    }

    /// Shows a new picture, where it is another than the last.
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

    /// Leaves the picture where it is and goes on below it.
    pub(crate) fn leave(&mut self) {
        self.drawn = 0;
        self.shown = Picture::default();
    }

    /// One write per change: the terminal never shows a half-drawn picture.
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
            // Cleared before: after a full line the cursor stands on its last character.
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

/// A reader that has gone away, as `head` does, is no reason to stop the deploy.
pub(crate) fn write(text: &str) {
    let mut output = io::stdout().lock();
    let _gone = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// What the plain log says of a change: each pod that is new, changed or gone.
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
