//! What the refusal of an apply means.

use crate::kubernetes::Refusal;
use crate::kubernetes::refusal::{RefusalCause, User, WebhookTrouble};

/// Why an apply was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum ApplyRefusal {
    /// Other managers own fields that the manifest gives another value.
    Conflict(Vec<FieldConflict>),
    /// The object changed, was deleted or made anew since it was read: read it again.
    Stale,
    /// The manifest has fields that the kind does not have.
    UnknownField(Vec<String>),
    /// The manifest has a key, or two items of one list with the same key, twice: where it says so.
    DuplicateKey(Vec<String>),
    /// Fields change that cannot be changed.
    Immutable(Vec<String>),
    /// Fields are not valid: each with what is wrong. The field is empty where it is about the
    /// whole object.
    Invalid(Vec<(String, String)>),
    /// Its namespace does not exist; the dry run cannot see one that comes with the release.
    NamespaceMissing,
    /// Its namespace is being deleted.
    NamespaceEnding,
    /// The cluster does not serve this kind in this version (yet).
    KindMissing,
    /// The role of a binding does not exist. Only who may not `bind` it is asked for it.
    RoleMissing(String),
    /// The authorizer denies it, to this user.
    Forbidden(User),
    /// The role would grant what the user does not have: these rules, as the server writes them.
    Escalation(Vec<String>),
    /// An admission webhook does not answer, as one that comes with the release does at first.
    WebhookAway {
        /// Its name; empty where the answer does not tell.
        name: String,
        /// Why.
        trouble: WebhookTrouble,
    },
    /// Our fields are noted in another version of the kind, in which the object has no place any
    /// more.
    OtherVersion,
    /// Others counted against the same quota at the same time.
    QuotaRace,
    /// Anything else.
    Other(RefusalCause),
}

/// A field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldConflict {
    /// The field: `spec.template.spec.containers[name="app"].image`.
    pub field: String,
    /// The manager: `kubectl-edit`, or `kubectl (scale)` by way of a subresource.
    pub manager: String,
}

impl ApplyRefusal {
    /// Whether the same apply may succeed a while later, without anybody changing the manifest.
    /// After [`Stale`](ApplyRefusal::Stale) the object is to be read first.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            ApplyRefusal::Stale
                | ApplyRefusal::WebhookAway { .. }
                | ApplyRefusal::QuotaRace
                | ApplyRefusal::Other(RefusalCause::Busy)
        )
    }
}

/// Reads the refusal of an apply.
pub fn refused(refusal: &Refusal) -> ApplyRefusal {
    let cause = refusal.cause();
    let found = match refusal.code {
        // What a policy says is its own, whatever the API server itself would mean by it.
        _ if matches!(cause, RefusalCause::Policy(_)) => None,
        400 => duplicate_key(refusal),
        403 => escalation(refusal),
        404 => missing(refusal),
        409 => Some(conflict(refusal)),
        422 => invalid(refusal),
        500 => malformed(refusal),
        _ => None,
    };
    found.unwrap_or(match cause {
        RefusalCause::Permission(user) => ApplyRefusal::Forbidden(user),
        RefusalCause::NamespaceEnding => ApplyRefusal::NamespaceEnding,
        RefusalCause::Webhook { name, trouble } => ApplyRefusal::WebhookAway { name, trouble },
        cause @ (RefusalCause::Token
        | RefusalCause::Anonymous
        | RefusalCause::Unexplained
        | RefusalCause::Quota
        | RefusalCause::Policy(_)
        | RefusalCause::Object
        | RefusalCause::Conflict
        | RefusalCause::Busy) => ApplyRefusal::Other(cause),
    })
}

fn duplicate_key(refusal: &Refusal) -> Option<ApplyRefusal> {
    let (_, said) = refusal.message.split_once("strict decoding")?;
    let lines = said
        .lines()
        .filter(|line| line.contains("already set in map"));
    let keys = lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    (!keys.is_empty()).then_some(ApplyRefusal::DuplicateKey(keys))
}

fn escalation(refusal: &Refusal) -> Option<ApplyRefusal> {
    const MARK: &str = "is attempting to grant RBAC permissions not currently held:";
    let (_, rules) = refusal.message.split_once(MARK)?;
    // Roles that could not be read stand behind the rules.
    let (rules, _) = rules
        .split_once("; resolution errors")
        .unwrap_or((rules, ""));
    let rules = rules.lines().map(str::trim).filter(|rule| !rule.is_empty());
    Some(ApplyRefusal::Escalation(rules.map(str::to_owned).collect()))
}

/// A path that is not served answers with a text, or by a group that is served with a `Status` that
/// names nothing.
fn missing(refusal: &Refusal) -> Option<ApplyRefusal> {
    let message = &*refusal.message;
    if !refusal.is_status {
        let is_kubernetes = message.trim() == "404 page not found";
        return is_kubernetes.then_some(ApplyRefusal::KindMissing);
    }
    if message.starts_with("the server could not find the requested resource") {
        return Some(ApplyRefusal::KindMissing);
    }
    let (what, rest) = message.split_once(" \"")?;
    let (name, said) = rest.split_once('"')?;
    if said != " not found" {
        return None;
    }
    match what.split('.').next()? {
        "namespaces" => Some(ApplyRefusal::NamespaceMissing),
        // The name is the role's, the resource the binding's.
        "rolebindings" | "clusterrolebindings" | "roles" | "clusterroles" => {
            Some(ApplyRefusal::RoleMissing(name.to_owned()))
        }
        _ => None,
    }
}

fn conflict(refusal: &Refusal) -> ApplyRefusal {
    let conflicts = refusal.causes.iter();
    let conflicts = conflicts.filter(|cause| cause.reason == "FieldManagerConflict");
    let conflicts = conflicts.map(|cause| FieldConflict {
        field: plain(&cause.field),
        manager: conflicting(&cause.message),
    });
    // The server tells them in any order.
    let mut conflicts = conflicts.collect::<Vec<_>>();
    conflicts.sort();
    if !conflicts.is_empty() {
        return ApplyRefusal::Conflict(conflicts);
    }
    match refusal
        .message
        .contains("cannot be fulfilled on resourcequotas")
    {
        true => ApplyRefusal::QuotaRace,
        false => ApplyRefusal::Stale,
    }
}

/// The manager of `conflict with "NAME" with subresource "scale" using apps/v1 at TIME`.
fn conflicting(message: &str) -> String {
    let mut quoted = message.split('"').skip(1).step_by(2);
    let name = quoted.next().unwrap_or_default();
    match quoted.next() {
        Some(subresource) => format!("{name} ({subresource})"),
        None => name.to_owned(),
    }
}

/// How the server says that a field cannot be changed. It has no reason of its own for this, and
/// each kind has its sentence.
const IMMUTABLE: [&str; 10] = [
    "field is immutable",
    "is immutable after creation",
    "cannot change roleRef",
    "may not change once set",
    "may not be changed in an update",
    "updates to statefulset spec for fields other than",
    "pod updates may not change fields other than",
    "can only be modified in tandem with",
    "updates to provisioner are forbidden",
    "updates to parameters are forbidden",
];

fn invalid(refusal: &Refusal) -> Option<ApplyRefusal> {
    let told = |it: &&crate::kubernetes::FieldCause| !is_follow_up(&it.message);
    let causes = refusal.causes.iter().filter(told).collect::<Vec<_>>();
    if causes.is_empty() {
        return None;
    }
    let is_immutable = |message: &str| IMMUTABLE.iter().any(|mark| message.contains(mark));
    // Where something else is wrong as well, that is to be told: making it anew would not help.
    if causes.iter().all(|cause| is_immutable(&cause.message)) {
        let mut fields = causes.iter().map(|it| plain(&it.field)).collect::<Vec<_>>();
        fields.dedup();
        return Some(ApplyRefusal::Immutable(fields));
    }
    let wrong = causes
        .iter()
        .map(|it| (plain(&it.field), it.message.clone()));
    Some(ApplyRefusal::Invalid(wrong.collect()))
}

/// A custom resource with faults has one more, which says that not all was looked at.
fn is_follow_up(message: &str) -> bool {
    message.starts_with("some validation rules were not checked")
}

/// The server's own error about an object that does not fit its schema: `failed to create typed
/// patch object (shop/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema`.
fn malformed(refusal: &Refusal) -> Option<ApplyRefusal> {
    let message = &*refusal.message;
    // The version lacks fields that the object gets, or is not in the definition any more.
    let other_version = [
        "failed to convert merged object to last applied version",
        "request to convert CR to an invalid group/version",
    ];
    if other_version.iter().any(|said| message.contains(said)) {
        return Some(ApplyRefusal::OtherVersion);
    }
    let (of_patch, of_conversion) = (
        "failed to create typed patch object",
        "failed to convert new",
    );
    if message.contains(of_conversion) {
        let (_, said) = message.split_once("to proper version: ")?;
        let (_, wrong) = said.split_once(": ").unwrap_or(("", said));
        return Some(ApplyRefusal::Invalid(vec![(
            String::new(),
            wrong.to_owned(),
        )]));
    }
    let (_, said) = message.split_once(of_patch)?;
    let (_, said) = said.split_once("): ")?;
    let lines = said.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && *line != "errors:");
    let wrong = lines.map(split_path).collect::<Vec<_>>();
    if wrong
        .iter()
        .all(|(_, wrong)| wrong == "field not declared in schema")
    {
        let fields = wrong.into_iter().map(|(field, _)| field);
        return Some(ApplyRefusal::UnknownField(fields.collect()));
    }
    let is_duplicate = |wrong: &str| wrong.starts_with("duplicate entries for key");
    if wrong.iter().all(|(_, wrong)| is_duplicate(wrong)) {
        let keys = wrong
            .into_iter()
            .map(|(field, wrong)| format!("{field}: {wrong}"));
        return Some(ApplyRefusal::DuplicateKey(keys.collect()));
    }
    Some(ApplyRefusal::Invalid(wrong))
}

/// Splits `.spec.env[name="a: b"].value: expected string`: keys of a path are quoted.
fn split_path(line: &str) -> (String, String) {
    let mut is_quoted = false;
    let end = line.char_indices().find(|(index, c)| {
        is_quoted ^= *c == '"';
        !is_quoted && line[*index..].starts_with(": ")
    });
    match end {
        Some((end, _)) if line.starts_with('.') => {
            (plain(&line[..end]), line[end + 2..].to_owned())
        }
        _ => (String::new(), line.to_owned()),
    }
}

/// A path without its leading dot. A rule about the whole object has the path `<nil>`, and its size
/// the path `[]`.
fn plain(path: &str) -> String {
    match path {
        "<nil>" | "[]" => String::new(),
        path => path.strip_prefix('.').unwrap_or(path).to_owned(),
    }
}

#[cfg(test)]
mod tests;
