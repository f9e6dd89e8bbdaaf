//! Both clusters, asked the same, and what they answered differently.

use crate::differential::comparable::plain;
use crate::differential::peer::Peer;
use crate::differential::step::Step;
use serde_json::{Map, Value};

/// Both clusters, each with a namespace of the same name.
pub(super) struct Pair {
    pub(super) sandbox: Peer,
    pub(super) real: Peer,
    pub(super) differences: Vec<String>,
}

impl Pair {
    pub(super) async fn new(name: &str) -> Pair {
        let namespace = format!("differential-{name}-{}", std::process::id());
        Pair {
            sandbox: Peer::sandbox(&namespace).await,
            real: Peer::real(&namespace).await,
            differences: Vec::new(),
        }
    }

    /// Asks both.
    pub(super) async fn ask(&mut self, step: &Step) {
        let (sandbox, real) = (self.sandbox.ask(step).await, self.real.ask(step).await);
        self.compare(&step.name, &sandbox, &real);
    }

    /// Compares what both answered.
    pub(super) fn judge(&mut self, step: &Step, sandbox: Value, real: Value) {
        let (sandbox, real) = (plain(sandbox, step.ignored), plain(real, step.ignored));
        self.compare(&step.name, &sandbox, &real);
    }

    pub(super) async fn all(&mut self, steps: &[Step]) {
        for step in steps {
            self.ask(step).await;
        }
    }

    /// Lets both come to rest.
    pub(super) async fn settle(&mut self, what: &str, name: &str, state: &str) {
        let (sandbox, real) = tokio::join!(
            self.sandbox.settled(name, state),
            self.real.settled(name, state)
        );
        self.compare(what, &sandbox, &real);
    }

    pub(super) fn compare(&mut self, what: &str, sandbox: &Value, real: &Value) {
        let mut found = Vec::new();
        if sandbox["status"] == real["status"] {
            differences("", sandbox, real, &mut found);
        } else {
            // Field by field this would be a long way to say that one took what the other refused.
            let (left, right) = (brief(sandbox), brief(real));
            found.push(format!("\n    sandbox {left}\n    real    {right}"));
        }
        let found = found.into_iter().map(|line| format!("{what}: {line}"));
        self.differences.extend(found);
    }

    pub(super) fn end(self) {
        let count = self.differences.len();
        assert!(
            count == 0,
            "{count} differences\n{}",
            self.differences.join("\n")
        );
    }
}

/// An answer in a line.
pub(super) fn brief(answer: &Value) -> String {
    let body = &answer["body"];
    let said = body.get("message").unwrap_or(body).to_string();
    let said: String = said.chars().take(400).collect();
    format!("{} {said}", answer["status"])
}

/// Each place where two values differ.
pub(super) fn differences(path: &str, sandbox: &Value, real: &Value, found: &mut Vec<String>) {
    match (sandbox, real) {
        (Value::Object(left), Value::Object(right)) => {
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let of = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                differences(&format!("{path}/{name}"), &of(left), &of(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(&format!("{path}/{index}"), left, right, found);
            }
        }
        _ if sandbox == real => {}
        _ => found.push(format!("{path}\n    sandbox {sandbox}\n    real    {real}")),
    }
}
