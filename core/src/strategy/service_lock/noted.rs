//! What a Service notes of a switch: how it selected before, and which Deployments it was between.

use crate::kubernetes::service::{Selector, Service};
use crate::state::awaited::Awaited;
use crate::state::marks::{
    self, AWAITED, FROM, ORIGINAL_SELECTOR, SELECTOR_BEFORE, SERVED, TO, VERSION,
};
use crate::workload::TEMPLATE_HASH;
use serde_json::{Value, json};

/// The selector without what tells versions apart.
pub fn common(selector: &Selector) -> Selector {
    let mut common = selector.clone();
    common.retain(|key, _| ![VERSION, TEMPLATE_HASH].contains(&key.as_str()));
    common
}

/// The selector of one version.
pub fn of_version(selector: &Selector, version: &str) -> Selector {
    let mut narrow = common(selector);
    narrow.insert(VERSION.to_owned(), version.to_owned());
    narrow
}

/// The selector that the Service had before it was narrowed, where it is.
pub fn original_selector(service: &Service) -> Option<Selector> {
    kept_selector(service, ORIGINAL_SELECTOR)
}

/// The selector that the Service had before the last switch.
pub fn selector_before(service: &Service) -> Option<Selector> {
    kept_selector(service, SELECTOR_BEFORE)
}

/// The Deployment that served before the last switch, where the note is a valid name.
pub fn from(service: &Service) -> Option<&str> {
    noted_name(service, FROM)
}

/// The Deployment that the last switch was to, where the note is a valid name.
pub fn to(service: &Service) -> Option<&str> {
    noted_name(service, TO)
}

/// The Deployments that served before this one, newest first.
pub fn served<'a>(service: &'a Service, live: &str) -> Vec<&'a str> {
    let (from, to) = (from(service), to(service));
    let noted = service.annotation(SERVED).unwrap_or_default().split(',');
    let noted = noted.filter(|name| marks::name_of(name).is_some());
    let mut all = Vec::new();
    // A switch that was taken back has left no version, and somebody else's has no note.
    let was_taken_back = from == Some(live) && to != Some(live);
    let last = [to, from].into_iter().flatten().filter(|_| !was_taken_back);
    for name in last.chain(noted) {
        if name != live && !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// The note of who waits for a job, passed on from that one to another.
pub(super) fn passed_on(service: &Service, from: &str, to: &str) -> Option<(String, Value)> {
    let waiting = Awaited::read(service.annotation(AWAITED)?)?.passed_on(from, to)?;
    Some((AWAITED.to_owned(), json!(waiting.text())))
}

fn noted_name<'a>(service: &'a Service, mark: &str) -> Option<&'a str> {
    service
        .annotation(mark)
        .filter(|text| marks::name_of(text).is_some())
}

fn kept_selector(service: &Service, mark: &str) -> Option<Selector> {
    marks::selector_of(service.annotation(mark)?)
}
