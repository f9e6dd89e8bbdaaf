//! What the function would find wrong with user parameters, without what is only not known yet.

use super::condition::Choices;
use super::filled::OF_ANY_TYPE;
use super::found::Found;
use landfall_core::problem::Fault;
use landfall_core::request::{Draft, Parameters};
use landfall_core::text::placeholder;
use serde_json::Value;

/// Where something is filled in later.
const LATER: &str = placeholder::PIPELINE;

/// How faults begin that are about a field being there, and not about its value.
const OF_PRESENCE: [&str; 4] = ["is only for", "is for ", "is unknown", "cannot be combined"];

/// The fields that are no text, and what they are.
const NO_TEXT: [(&str, &str); 5] = [
    ("restart", "true or false"),
    ("rollback", "true or false"),
    ("prune", "true or false"),
    ("force", "true or false"),
    ("keep", "a number"),
];

/// The faults of an action in all its variants, each once, and where it is not in all of them, in
/// which: `where IsProd is false`.
pub(super) fn judge(variants: &[Found]) -> Vec<(Fault, Option<String>)> {
    let judged = variants.iter().map(|it| (&it.choices, faults(it)));
    let judged = judged.collect::<Vec<_>>();
    let mut told = Vec::<(Fault, Option<String>)>::new();
    for fault in judged.iter().flat_map(|(_, faults)| faults) {
        if told.iter().any(|(known, _)| known == fault) {
            continue;
        }
        let has = judged
            .iter()
            .map(|(choices, it)| (*choices, it.contains(fault)));
        told.push((fault.clone(), only(&has.collect::<Vec<_>>())));
    }
    told
}

/// Conditions under which every variant has the fault, without those that do not matter.
fn only(variants: &[(&Choices, bool)]) -> Option<String> {
    let (first, _) = variants.iter().find(|(_, has)| *has)?;
    let suffices = |named: &Choices| {
        let is_so =
            |choices: &Choices| named.iter().all(|(name, it)| choices.get(name) == Some(it));
        variants
            .iter()
            .all(|(choices, has)| *has || !is_so(choices))
    };
    let mut named = (*first).clone();
    for name in first.keys() {
        let mut fewer = named.clone();
        fewer.remove(name);
        if suffices(&fewer) {
            named = fewer;
        }
    }
    let named = named
        .iter()
        .map(|(name, holds)| format!("{name} is {holds}"));
    let named = named.collect::<Vec<_>>();
    (!named.is_empty()).then(|| format!("where {}", named.join(", ")))
}

/// The faults of user parameters that whatever is filled in cannot mend.
fn faults(found: &Found) -> Vec<Fault> {
    if let Parameters::Text(text) = &found.parameters
        && text.trim_start().starts_with("\"#{")
    {
        // All of it comes from elsewhere: a parameter, another stack, an include.
        return Vec::new();
    }
    let mut faults = Draft::read(&found.parameters).err().unwrap_or_default();
    let fields = match &found.parameters {
        Parameters::Object(fields) => Value::Object(fields.clone()),
        Parameters::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        Parameters::Absent => Value::Null,
    };
    faults.retain(|fault| !is_open(fault, &fields));
    faults.extend(quoted(&fields));
    if let Some(excess) = found.excess {
        let problem = format!(
            "have {excess} characters too many: an action has 1,000. Put `manifest` or `images` \
             into a file of an input artifact"
        );
        faults.push(Fault::new("UserParameters", problem));
    }
    for fault in &mut faults {
        fault.problem = fault.problem.replace(OF_ANY_TYPE, "");
    }
    faults
}

/// What is filled in between quotes is a text, whatever it is.
fn quoted(fields: &Value) -> impl Iterator<Item = Fault> {
    let is_quoted = |value: &Value| is_later(value) && !text_of(value).contains(OF_ANY_TYPE);
    let of_text = NO_TEXT
        .iter()
        .filter(move |(field, _)| is_quoted(&fields[field]));
    of_text.map(|(field, what)| {
        let problem = format!(
            "must be {what}, and what is filled in between quotes is a text: leave them out"
        );
        Fault::new(*field, problem)
    })
}

/// Whether a fault depends on what is filled in later.
fn is_open(fault: &Fault, fields: &Value) -> bool {
    let later = |field: &str| fields[field].to_string().contains(LATER);
    let root = fault.field.split(['.', '[']).next().unwrap_or_default();
    if is_later(&fields["mode"]) && ["to", "execution", "UserParameters"].contains(&root) {
        return true;
    }
    let is_of = |begin: &&str| fault.problem.starts_with(begin);
    if OF_PRESENCE.iter().any(is_of) {
        return fault.field.contains(LATER);
    }
    if fault.field.contains(LATER) || is_later(&fields[root]) {
        return true;
    }
    let times = ["timeout", "bake", "steps", "handover"];
    if fault.problem.contains("`timeout`") && times.into_iter().any(later) {
        return true;
    }
    let rest = fault.field.get(root.len()..).unwrap_or_default();
    within(&fields[root], rest).is_some_and(is_later)
}

/// The value at the rest of a field's path, where keys may have dots.
fn within<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    if let Some(rest) = path.strip_prefix('[') {
        let (index, rest) = rest.split_once(']')?;
        return within(value.get(index.parse::<usize>().ok()?)?, rest);
    }
    let path = path.strip_prefix('.')?;
    let mut fields = value.as_object()?.iter();
    fields.find_map(|(key, value)| within(value, path.strip_prefix(key.as_str())?))
}

fn is_later(value: &Value) -> bool {
    text_of(value).contains(LATER)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
