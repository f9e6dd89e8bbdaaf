//! The conditions of a template: which of them can hold together. `IsProd` and `IsTest`, which
//! compare one parameter with two texts, never do.

use super::node::{Content, Node, function};
use std::collections::{BTreeMap, BTreeSet};

/// Whether each condition holds that an action depends on, by its name.
pub(super) type Choices = BTreeMap<String, bool>;

/// The values of what conditions compare, by what it is.
type Values = BTreeMap<String, String>;

/// How many ways to fill in what conditions compare are tried for one action. More are there only
/// where one action depends on thirteen parameters at once; then these are spread over all.
const WORLDS: usize = 4096;
/// How deep conditions may refer to one another.
const DEPTH: usize = 10;
/// The value of what is not compared with any text, so that two of them may be equal.
const SHARED: &str = "\u{1}";

/// The conditions and the parameters of a template.
pub(super) struct Conditions<'a> {
    defined: Option<&'a Node>,
    parameters: Option<&'a Node>,
}

impl<'a> Conditions<'a> {
    pub(super) fn of(document: &'a Node) -> Conditions<'a> {
        Conditions {
            defined: document.get("Conditions"),
            parameters: document.get("Parameters"),
        }
    }

    /// All ways in which the conditions that these nodes name can hold or not, where those in
    /// `assumed` are as they are there.
    pub(super) fn choices(&self, nodes: &[&Node], assumed: &[(String, bool)]) -> Vec<Choices> {
        let mut names = BTreeSet::new();
        nodes.iter().for_each(|node| chosen_by(node, &mut names));
        let mut domains = BTreeMap::new();
        for name in names.iter().chain(assumed.iter().map(|(name, _)| name)) {
            self.compared(name, DEPTH, &mut domains);
        }
        let mut found = Vec::<Choices>::new();
        for values in worlds(&domains) {
            let is_possible = |(name, is_so): &(String, bool)| self.holds(name, &values) == *is_so;
            if !assumed.iter().all(is_possible) {
                continue;
            }
            let holds = |name: &String| (name.clone(), self.holds(name, &values));
            let choices = names.iter().map(holds).collect::<Choices>();
            if !found.contains(&choices) {
                found.push(choices);
            }
        }
        // What can never be there is checked all the same.
        if found.is_empty() {
            found.push(Choices::new());
        }
        found
    }

    fn definition(&self, name: &str) -> Option<&'a Node> {
        self.defined?.get(name)
    }

    fn holds(&self, name: &str, values: &Values) -> bool {
        match self.definition(name) {
            Some(node) => self.is_true(node, values, DEPTH),
            None => values.get(&free(name)).is_none_or(|value| value == "true"),
        }
    }

    fn is_true(&self, node: &Node, values: &Values, depth: usize) -> bool {
        let Some((name, argument)) = operator(node).filter(|_| depth > 0) else {
            return false;
        };
        let mut items = argument.items().iter();
        let mut is_true = |item: &Node| self.is_true(item, values, depth - 1);
        match name {
            "Condition" => self.holds_within(argument, values, depth),
            "Not" => !items.all(is_true),
            "And" => items.all(is_true),
            "Or" => items.any(&mut is_true),
            "Equals" => {
                let mut sides = items.map(|side| match literal(side) {
                    Some(text) => Some(text.to_owned()),
                    None => values.get(&key(side)).cloned(),
                });
                sides.next() == sides.next()
            }
            _ => values.get(&key(node)).is_none_or(|value| value == "true"),
        }
    }

    fn holds_within(&self, name: &Node, values: &Values, depth: usize) -> bool {
        match name.text().map(|name| (name, self.definition(name))) {
            Some((_, Some(node))) => self.is_true(node, values, depth - 1),
            Some((name, None)) => self.holds(name, values),
            None => false,
        }
    }

    /// Collects what a condition compares, and the values that make a difference.
    fn compared(&self, name: &str, depth: usize, domains: &mut BTreeMap<String, Vec<String>>) {
        match self.definition(name) {
            Some(node) => self.compared_in(node, depth, domains),
            None => drop(domains.insert(free(name), yes_or_no())),
        }
    }

    fn compared_in(&self, node: &Node, depth: usize, domains: &mut BTreeMap<String, Vec<String>>) {
        let Some((name, argument)) = operator(node).filter(|_| depth > 0) else {
            return;
        };
        match name {
            "Condition" => {
                if let Some(name) = argument.text() {
                    self.compared(name, depth - 1, domains);
                }
            }
            "Not" | "And" | "Or" => argument
                .items()
                .iter()
                .for_each(|item| self.compared_in(item, depth - 1, domains)),
            "Equals" => self.sides(argument.items(), domains),
            _ => drop(domains.insert(key(node), yes_or_no())),
        }
    }

    fn sides(&self, sides: &[Node], domains: &mut BTreeMap<String, Vec<String>>) {
        let texts = sides.iter().filter_map(literal).collect::<Vec<_>>();
        for side in sides.iter().filter(|side| literal(side).is_none()) {
            let domain = domains.entry(key(side)).or_insert_with(|| {
                let allowed = self.allowed(side);
                let other = || vec![format!("\u{0}{}", key(side)), SHARED.to_owned()];
                if allowed.is_empty() { other() } else { allowed }
            });
            let is_open = domain.iter().any(|value| value == SHARED);
            for text in texts.iter().filter(|_| is_open) {
                if !domain.iter().any(|value| value == text) {
                    domain.push((*text).to_owned());
                }
            }
        }
    }

    /// The values that a parameter may have, if its template says so.
    fn allowed(&self, node: &Node) -> Vec<String> {
        let values = || {
            let (_, name) = function(node).filter(|(function, _)| *function == "Ref")?;
            let parameter = self.parameters?.get(name.text()?)?;
            let values = parameter.get("AllowedValues")?.items().iter();
            Some(values.filter_map(literal).map(str::to_owned).collect())
        };
        values().unwrap_or_default()
    }
}

/// The conditions that choose something in a value.
fn chosen_by(node: &Node, names: &mut BTreeSet<String>) {
    if let Some(("If", argument)) = function(node)
        && let Some(name) = argument.items().first().and_then(literal)
    {
        names.insert(name.to_owned());
    }
    node.children().for_each(|child| chosen_by(child, names));
}

/// All ways to give each its value.
fn worlds(domains: &BTreeMap<String, Vec<String>>) -> impl Iterator<Item = Values> {
    let sizes = domains.values().map(Vec::len);
    let count = sizes.fold(1_usize, usize::saturating_mul);
    // Without a common divisor the values of each change, also where not all are tried.
    let has_no_common_divisor = |step: &usize| divisor(*step, count) == 1;
    let step = (count / WORLDS..).find(has_no_common_divisor).unwrap_or(1);
    (0..count.min(WORLDS)).map(move |world| {
        let mut rest = world.saturating_mul(step);
        let value = |(name, domain): (&String, &Vec<String>)| {
            let value = domain[rest % domain.len()].clone();
            rest /= domain.len();
            (name.clone(), value)
        };
        domains.iter().map(value).collect()
    })
}

/// The greatest common divisor.
fn divisor(one: usize, other: usize) -> usize {
    match other {
        0 => one,
        _ => divisor(other, one % other),
    }
}

fn operator(node: &Node) -> Option<(&str, &Node)> {
    let Content::Map(fields) = &node.content else {
        return function(node);
    };
    match &fields[..] {
        [(name, argument)] if name == "Condition" => Some((name, argument)),
        _ => function(node),
    }
}

/// A text that no function of CloudFormation makes.
fn literal(node: &Node) -> Option<&str> {
    node.text().filter(|_| node.tag.is_none())
}

/// What is compared, wherever it stands and however it is written.
fn key(node: &Node) -> String {
    match (function(node), &node.content) {
        (Some((name, argument)), _) => match argument.text() {
            Some(text) => format!("{name} {text}"),
            None => {
                let parts = argument.items().iter().map(key);
                format!("{name} [{}]", parts.collect::<Vec<_>>().join(", "))
            }
        },
        (None, Content::Text(text, _)) => format!("`{text}`"),
        (None, Content::List(_) | Content::Map(_)) => format!("value of line {}", node.line),
    }
}

fn free(condition: &str) -> String {
    format!("condition {condition}")
}

fn yes_or_no() -> Vec<String> {
    ["true", "false"].map(str::to_owned).to_vec()
}
