//! The page as HTML: one file without scripts and without anything from elsewhere.

use super::chart;
use super::markup::{escaped, second, sentence};
use super::model::Page;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const STYLE: &str = include_str!("style.css");

/// The longest first sentence that becomes the heading. Of a longer one, the heading has only what
/// happened to which object, and the text below has the whole sentence.
const HEADING_LIMIT: usize = 300;

impl Page {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let (heading, rest) = self.heading();
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let (class, outcome) = match self.outcome {
            "SUCCEEDED" => ("succeeded", "✓ Succeeded"),
            "PLANNED" => ("planned", "≈ Planned, nothing was written"),
            _ => ("failed", "✗ Failed"),
        };
        let rest = self.beside_lists(&rest);
        let rest = match rest.trim() {
            "" => String::new(),
            rest => format!("<p class=\"text\">{}</p>\n", sentence(rest)),
        };
        // What was done about it and what to do next come first, then when and where it was.
        let parts = [
            rest,
            self.facts(),
            chart::section(self),
            self.changes(),
            self.evidence(),
            listed("Warnings of the API server", "warnings", &self.warnings),
            self.variables(),
        ];
        let shortened = match self.is_shortened {
            true => " Some lines, or points of the timeline, were left out, as there was no room.",
            false => "",
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <p class=\"outcome {class}\">{outcome}</p>\n<h1>{heading}</h1>\n{body}</main>\n\
             <footer>Landfall sent {calls} requests to the cluster and received {bytes}.\
             {shortened} report.json contains the same data.</footer>\n</body>\n</html>\n",
            title = escaped(&self.title()),
            heading = sentence(&heading),
            body = parts.concat(),
            calls = self.api_calls,
            bytes = size(self.api_bytes),
        )
    }

    fn title(&self) -> String {
        let name = self.deploy.as_ref().map(|deploy| &*deploy.name);
        let outcome = self.outcome.to_lowercase();
        format!("{}: {outcome}", name.unwrap_or("Landfall"))
    }

    /// The first sentence of the report, and what follows it.
    fn heading(&self) -> (String, String) {
        let message = &*self.message;
        let end = [". ", ".\n", "\n"]
            .iter()
            .filter_map(|end| Some(message.find(end)? + end.trim_end().len()))
            .min();
        let end = end.unwrap_or(message.len());
        match end <= HEADING_LIMIT {
            true => (message[..end].to_owned(), message[end..].to_owned()),
            false => {
                let brief = message.split_once(": ").map(|(what, _)| what);
                let is_whole = |what: &&str| {
                    what.len() <= HEADING_LIMIT && what.matches('`').count().is_multiple_of(2)
                };
                let heading = brief.filter(is_whole).unwrap_or("What happened");
                (heading.to_owned(), message.to_owned())
            }
        }
    }

    /// The text without the lines that a list below has, too: a plan's changes, events, the log.
    fn beside_lists(&self, text: &str) -> String {
        let lists = [&self.changes, &self.events, &self.log];
        let listed = lists.into_iter().flatten().map(|line| line.trim());
        let listed = listed.collect::<BTreeSet<_>>();
        let lines = text
            .lines()
            .filter(|line| !listed.contains(line.trim()) || line.is_empty());
        let mut kept = Vec::<&str>::new();
        for line in lines {
            // One empty line is left where a paragraph was.
            if !line.is_empty() || kept.last().is_some_and(|last| !last.is_empty()) {
                kept.push(line);
            }
        }
        kept.join("\n")
    }

    fn facts(&self) -> String {
        let mut facts = Vec::new();
        if let Some(failure) = &self.failure {
            facts.push(("Type", failure.failure_type.to_owned()));
            facts.push((
                "Handbook",
                format!("docs/operations.md, {}", failure.section),
            ));
        }
        if let Some(deploy) = &self.deploy {
            facts.push((deploy.kind, deploy.name.clone()));
            facts.push(("Namespace", deploy.namespace.clone()));
            facts.push(("Strategy", deploy.strategy.to_owned()));
            facts.push(("Execution", deploy.execution.clone()));
        }
        facts.push(("Job", self.job.clone()));
        match self.started {
            Some(started) => {
                let took = second(self.ended.duration_since(started).as_secs());
                facts.push(("Began", format!("{started:.0}")));
                facts.push(("Ended", format!("{:.0}, after {took}", self.ended)));
            }
            None => facts.push(("Ended", format!("{:.0}", self.ended))),
        }
        let facts = facts.iter().filter(|(_, value)| !value.is_empty());
        let facts =
            facts.map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(value)));
        format!("<dl>\n{}</dl>\n", facts.collect::<String>())
    }

    fn changes(&self) -> String {
        if self.outcome == "PLANNED" && self.changes.is_empty() {
            return String::new();
        }
        listed("What would change", "changes", &self.changes)
    }

    fn evidence(&self) -> String {
        let parts = [
            ("What was seen", "pods", &self.pods),
            ("Events", "events", &self.events),
            ("Log", "log", &self.log),
        ];
        parts
            .map(|(name, id, lines)| listed(name, id, lines))
            .concat()
    }

    fn variables(&self) -> String {
        if self.variables.is_empty() {
            return String::new();
        }
        let rows = self.variables.iter().map(|(name, value)| {
            let count = value.lines().count();
            let (name, value) = (escaped(name), escaped(value));
            let value = match count {
                0 | 1 => value,
                _ => format!("<details><summary>{count} lines</summary>{value}</details>"),
            };
            format!("<tr><th scope=\"row\">{name}</th><td class=\"text\">{value}</td></tr>\n")
        });
        format!(
            "<section aria-labelledby=\"variables\">\n<h2 id=\"variables\">Output variables</h2>\n\
             <table>\n<caption>What later actions of the pipeline can read</caption>\n\
             <thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Value</th></tr></thead>\n\
             <tbody>\n{}</tbody>\n</table>\n</section>\n",
            rows.collect::<String>()
        )
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        _ => format!("{} KiB", (bytes + 512) / 1024),
    }
}

/// A section of lines; nothing without any.
fn listed(heading: &str, id: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{heading}</h2>\n<pre>{}</pre>\n\
         </section>\n",
        escaped(&lines.join("\n"))
    )
}
