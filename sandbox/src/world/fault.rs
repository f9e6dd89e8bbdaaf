//! Faults, and the requests that they affect.

use crate::world::api::message::Request;

/// Selects the requests for a fault.
#[derive(Clone, Debug, Default)]
pub struct On {
    method: Option<String>,
    path: Vec<String>,
    skip: u32,
}

impl On {
    /// Every request.
    pub fn any() -> On {
        On::default()
    }

    /// Requests with this method.
    pub fn method(method: impl Into<String>) -> On {
        On {
            method: Some(method.into()),
            ..On::default()
        }
    }

    /// Requests whose path or query contains this text, and those of earlier calls of this.
    pub fn path(mut self, contains: impl Into<String>) -> On {
        self.path.push(contains.into());
        self
    }

    /// Lets this many matching requests through first.
    pub fn skip(mut self, requests: u32) -> On {
        self.skip = requests;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == request.method)
            && self.path.iter().all(|text| request.path.contains(text))
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 from priority-and-fairness, in plain text.
    Throttled {
        /// Seconds.
        retry_after: u32,
    },
    /// 503 from the API server.
    Unavailable {
        /// Seconds, if the server sends them.
        retry_after: Option<u32>,
    },
    /// 500 from the API server.
    InternalError,
    /// A proxy's page.
    Html {
        /// Its HTTP status.
        status: u16,
    },
    /// No response; the connection stays open. Nothing is done.
    Stall,
    /// The connection closes. Nothing is done.
    CutBefore,
    /// The request is carried out, and the response is lost.
    CutAfter,
    /// A GET of an object returns it as it was before its last change.
    Stale,
    /// A write of one object is answered with the object as it is. Nothing is done.
    Kept,
    /// An answer that an API server does not give: a status, headers, and a body.
    Odd {
        /// The HTTP status.
        status: u16,
        /// A header beside the type.
        header: Option<(String, String)>,
        /// The body, whatever it is.
        body: String,
    },
    /// A write is refused as if another one had come between.
    Conflict,
    /// 410 as HTTP status, for lists and watches.
    Gone,
    /// A watch starts with an ERROR event of code 410.
    WatchError410,
    /// A watch ends at once.
    WatchClosed,
    /// A watch tells nothing and does not end: something on the way holds it back.
    WatchMute,
    /// A watch begins with what is not a line of a watch.
    WatchGarbled,
    /// The connection of a watch is closed in the middle of its first line.
    WatchCut,
    /// 401 despite a correct token.
    Unauthorized,
    /// A 307 redirect.
    Redirect {
        /// The `Location`.
        to: String,
    },
    /// A body that never ends.
    Oversized,
}

/// A planned fault, and how often it will still occur.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) on: On,
    pub(crate) fault: Fault,
    pub(crate) left: u32,
}

/// The planned fault for this request. The first matching plan counts.
pub(crate) fn draw(planned: &mut Vec<Planned>, request: &Request) -> Option<Fault> {
    for plan in planned.iter_mut().filter(|plan| plan.on.matches(request)) {
        if plan.on.skip > 0 {
            plan.on.skip -= 1;
            continue;
        }
        if plan.left > 0 {
            plan.left -= 1;
            let fault = plan.fault.clone();
            planned.retain(|plan| plan.left > 0);
            return Some(fault);
        }
    }
    None
}

#[cfg(test)]
mod tests;
