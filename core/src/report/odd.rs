//! The words for an answer that no API server gives, or that is not what it seems: what it is, and
//! the one next step.

use crate::kubernetes::call::MAX_BODY;
use crate::kubernetes::contact::{Identity, JsonFault, Kept, OddAnswer};
use crate::text::quote;

/// What came. It follows the words "is not a Kubernetes API server's".
pub fn what(odd: &OddAnswer) -> String {
    match odd {
        OddAnswer::NotHttp => "it is not HTTP".to_owned(),
        OddAnswer::BrokenBody => "its body is not encoded as its headers say".to_owned(),
        OddAnswer::Redirect(code, None) => {
            format!("HTTP {code} leads elsewhere, and no redirect is followed")
        }
        OddAnswer::Redirect(code, Some(host)) => {
            format!("HTTP {code} leads to `{host}`, and no redirect is followed")
        }
        OddAnswer::Compressed(how) => {
            format!("it is compressed (`{how}`), which was not asked for")
        }
        OddAnswer::TooLong => format!("it has more than {} MiB", MAX_BODY / 1024 / 1024),
        OddAnswer::Text(code, None) => format!("HTTP {code} with what is not JSON"),
        OddAnswer::Text(code, Some(text)) if text.is_empty() => {
            format!("HTTP {code} without a text")
        }
        OddAnswer::Text(code, Some(text)) => format!("HTTP {code} with \"{}\"", quote(text)),
        OddAnswer::Json(code, fault) => format!("HTTP {code} with {}", json(*fault)),
        OddAnswer::Other { asked, came } => {
            format!("asked for {}, it has {}", named(asked), named(came))
        }
    }
}

fn json(fault: JsonFault) -> &'static str {
    match fault {
        JsonFault::Empty => "an empty body",
        JsonFault::ByteOrderMark => "a byte order mark before its JSON, which is to be plain UTF-8",
        JsonFault::CutOff => "JSON that ends in the middle",
        JsonFault::Several => "more than one JSON value",
        JsonFault::Repeated => "JSON that has one field twice",
        JsonFault::NoObject => "JSON that is not of the form asked for",
    }
}

fn named(identity: &Identity) -> String {
    let Identity {
        kind,
        namespace,
        name,
    } = identity;
    let kind = match kind.as_str() {
        "" => "an object",
        kind => kind,
    };
    let name = match name.as_str() {
        "" => String::new(),
        name => format!(" `{name}`"),
    };
    match namespace.as_str() {
        "" => quote(&format!("{kind}{name}")),
        namespace => quote(&format!("{kind}{name} in `{namespace}`")),
    }
}

/// What to do about it.
pub(super) fn next(odd: &OddAnswer) -> &'static str {
    match odd {
        OddAnswer::NotHttp => {
            "Set K8S_CLUSTER to the host and port on which the API server speaks HTTPS, then retry \
             the stage."
        }
        OddAnswer::Redirect(..) => {
            "Set K8S_CLUSTER to the API server itself, not to an address that leads elsewhere, as \
             that of a login page. Then retry the stage."
        }
        OddAnswer::Text(..) => {
            "Set K8S_CLUSTER to the API server itself: a login page, a proxy, a load balancer or a \
             firewall answers there. Then retry the stage."
        }
        OddAnswer::Other { .. } => {
            "Set K8S_CLUSTER to the API server itself: a cache or a proxy on the way answers one \
             call with the answer to another, or it is another service. Then retry the stage."
        }
        OddAnswer::BrokenBody
        | OddAnswer::Compressed(_)
        | OddAnswer::TooLong
        | OddAnswer::Json(..) => {
            "Set K8S_CLUSTER to the API server itself: a proxy or a load balancer on the way \
             changes its answers, or it is another service. Then retry the stage."
        }
    }
}

/// That a write was answered as done, and is not.
pub fn kept(kept: &Kept) -> String {
    let found = match &kept.found {
        Some(found) => format!("is {found}"),
        None => "is not there".to_owned(),
    };
    let on = kept.available.map(|(available, wanted)| {
        format!("; what ran before runs on, with {available} of {wanted} pods available")
    });
    format!(
        "the API server answered as if it were done, and `{}` {found} in its answer, not {} as was \
         asked for{}",
        kept.field,
        kept.wanted,
        on.unwrap_or_default()
    )
}

/// What to do about it.
pub(super) const UNKEPT: &str = "A mutating webhook or another policy of the cluster sets it back \
    (`kubectl get mutatingwebhookconfigurations`), or a proxy on the way answers in the API \
    server's place: find out which, then retry the stage.";

#[cfg(test)]
mod tests;
