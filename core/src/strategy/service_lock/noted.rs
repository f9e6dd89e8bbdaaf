//! What a Service notes of a switch: how it selected before, and which Deployments it was between.

use crate::kubernetes::service::{Selector, Service};
use crate::state::marks::{self, FROM, ORIGINAL_SELECTOR, SELECTOR_BEFORE, TO};

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

fn noted_name<'a>(service: &'a Service, mark: &str) -> Option<&'a str> {
    service
        .annotation(mark)
        .filter(|text| marks::name_of(text).is_some())
}

fn kept_selector(service: &Service, mark: &str) -> Option<Selector> {
    marks::selector_of(service.annotation(mark)?)
}
