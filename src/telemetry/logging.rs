//! Log lines as Lambda and CloudWatch take them: one JSON object each, with `timestamp`, `level`,
//! `message`, the request's and job's ids, and the event's own fields.
//!
//! Only our own code is heard below `ERROR`: at `DEBUG` and `TRACE` the AWS SDK and the Lambda
//! runtime print whole requests and answers, and with them the token and the job's credentials; at
//! `WARN` the SDK prints answers that it could not read.

use crate::telemetry::metrics;
use jiff::Timestamp;
use landfall_core::text::clip;
use landfall_core::text::redaction::Mask;
use serde_json::{Map, Value};
use std::fmt;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// The longest text of a field.
const FIELD_LIMIT: usize = 2000;

/// What must appear in no line. A Lambda serves one job at a time. The lock is held only to take or
/// to put the mask: a panic while a text is masked is logged, and that masks a text.
static HIDDEN: LazyLock<Mutex<Arc<Mask>>> = LazyLock::new(Mutex::default);

/// Held by whoever changes the mask, so that no two changes are made of the same one.
static CHANGING: Mutex<()> = Mutex::new(());

/// Where the last panic happened, `file:line`.
static PANIC_PLACE: Mutex<String> = Mutex::new(String::new());

/// Sets up logging for the process. The level comes from `AWS_LAMBDA_LOG_LEVEL` (which Lambda sets
/// from the function's logging configuration), else `RUST_LOG`, else `info`.
pub fn init(variable: impl Fn(&str) -> Option<String>) {
    let level = ["AWS_LAMBDA_LOG_LEVEL", "RUST_LOG"]
        .into_iter()
        .filter_map(variable)
        .find_map(|level| read_level(&level))
        .unwrap_or(LevelFilter::INFO);
    let subscriber = tracing_subscriber::registry().with(Lines { level });
    // Only a second call can fail, and then the first one's lines are as good.
    _ = tracing::subscriber::set_global_default(subscriber);
    note_panics();
}

/// Has the place of each panic noted and logged, instead of its message.
pub fn note_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panic");
        *held(&PANIC_PLACE) = place;
    }));
}

/// Hides these values in every line from now on.
pub fn hide<'a>(secrets: impl IntoIterator<Item = &'a str>) {
    change(|mask| mask.add(secrets));
}

/// Hides these values of variables, unless they stand in the open.
pub fn hide_values<'a>(values: impl IntoIterator<Item = &'a str>) {
    change(|mask| mask.add_values(values));
}

/// Hides these where a value is put together of them.
pub fn hide_parts<'a>(parts: impl IntoIterator<Item = &'a str>) {
    change(|mask| mask.add_parts(parts));
}

/// Hides the values in an object of the cluster, and keeps in mind what stands in the open there.
pub fn learn(object: &Value) {
    let _turn = held(&CHANGING);
    if let Some(learned) = mask().learned(object) {
        *held(&HIDDEN) = Arc::new(learned);
    }
}

/// Forgets what was to be hidden: another job, other secrets.
pub fn forget() {
    change(|mask| *mask = Mask::new());
}

/// What is hidden now.
pub fn mask() -> Arc<Mask> {
    Arc::clone(&held(&HIDDEN))
}

/// Puts a changed copy in place of the mask, if it differs: what a mask searches for is made anew
/// for each copy.
fn change(change: impl FnOnce(&mut Mask)) {
    let _turn = held(&CHANGING);
    let before = mask();
    let mut changed = Mask::clone(&before);
    change(&mut changed);
    if changed.size() != before.size() {
        *held(&HIDDEN) = Arc::new(changed);
    }
}

/// A lock that a panic has not spoiled: what it guards is only taken and put as a whole.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text without what is hidden now.
pub fn masked(text: &str) -> String {
    mask().text(text)
}

/// Where the last panic happened. Its message is not kept: it may quote data.
pub fn panic_place() -> String {
    held(&PANIC_PLACE).clone()
}

/// A level by name; of `RUST_LOG`'s directives the one for us, or the one for all.
fn read_level(text: &str) -> Option<LevelFilter> {
    let (mut ours, mut all) = (None, None);
    for directive in text.split(',').map(str::trim) {
        match directive.split_once('=') {
            Some(("landfall", level)) => ours = level_of(level).or(ours),
            Some(_) => {}
            None => all = level_of(directive).or(all),
        }
    }
    ours.or(all)
}

/// Lambda knows `FATAL` as well; nothing at all would be read as `error`.
fn level_of(name: &str) -> Option<LevelFilter> {
    match name {
        "" => None,
        name if name.eq_ignore_ascii_case("fatal") => Some(LevelFilter::ERROR),
        name => name.parse().ok(),
    }
}

struct Lines {
    level: LevelFilter,
}

/// The fields of a span, kept for the lines within it.
struct Kept(Map<String, Value>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let ours = metadata.target().split("::").next() == Some("landfall");
        let most = if ours {
            self.level
        } else {
            self.level.min(LevelFilter::ERROR)
        };
        metadata.is_span() && ours || *metadata.level() <= most
    }

    /// Below it nobody listens, not even to spans (ours are at `INFO`): their places in the code
    /// are passed over without being asked.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.max(LevelFilter::INFO))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(Kept(fields.0));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(kept) = span.extensions_mut().get_mut::<Kept>()
        {
            let mut fields = Fields::default();
            values.record(&mut fields);
            kept.0.extend(fields.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let message = own.0.remove("message").unwrap_or_default();
        let mut fields = Map::new();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(kept) = span.extensions().get::<Kept>() {
                fields.extend(kept.0.clone());
            }
        }
        fields.extend(own.0);
        let now = Timestamp::now();
        if event.metadata().target() == metrics::TARGET {
            fields.insert("_aws".to_owned(), metrics::directive(&fields, now));
        }
        let line = line(*event.metadata().level(), now, &message, fields);
        // A log that cannot be written is no reason to stop.
        _ = std::io::stdout().lock().write_all(line.as_bytes());
    }
}

/// One line, what a person looks for first at its beginning.
fn line(level: Level, now: Timestamp, message: &Value, fields: Map<String, Value>) -> String {
    let level = level_name(level);
    let mut line = format!(r#"{{"timestamp":"{now:.3}","level":"{level}","message":{message}"#);
    let fields = Value::Object(fields).to_string();
    if fields != "{}" {
        line.push(',');
        line.push_str(&fields[1..fields.len() - 1]);
    }
    line.push_str("}\n");
    line
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

/// Collects fields as JSON.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, clip(&masked(value), FIELD_LIMIT));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests;
