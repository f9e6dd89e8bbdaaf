//! Words a finding.

use super::eviction::Excess;
use super::finding::{Explanation, Finding, STILL_RUNS, Silent};
use super::quotes::{QUOTE, last_words, of_probe, plain, quoted, telling, times};
use crate::outcome::Cause;
use crate::text::{clip, words};
use crate::workload::Workload;
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

impl Finding {
    /// The cause as a sentence without its full stop.
    pub fn sentence(&self, live: &Workload, explanation: &Explanation) -> String {
        let sentence = self.problem(live, explanation) + &self.with_others();
        match self.together {
            Some(times) => format!(
                "{sentence}; together the pods of `{}` have ended {times} times during the bake",
                live.name()
            ),
            None => sentence,
        }
    }

    fn problem(&self, live: &Workload, explanation: &Explanation) -> String {
        let who = self.who();
        let said = quoted(&self.said);
        match self.cause {
            Cause::ImageName
            | Cause::ImageNotFound
            | Cause::ImagePlatform
            | Cause::ImageRefused
            | Cause::ImageDenied
            | Cause::ImageNeverPulled
            | Cause::PullFails => {
                let image = self.of_image(&self.image(live));
                format!(
                    "{who} cannot start: {image}{}",
                    self.lost_secrets(explanation)
                )
            }
            Cause::OutOfMemory | Cause::Crash | Cause::Ends => self.end(live, explanation),
            Cause::ConfigMissing => format!("{who} cannot be created: {said}"),
            Cause::ContainerNotCreated => {
                format!("{who} cannot be created: {}", last_words(&self.said))
            }
            Cause::ContainerNotStarted => {
                format!("{who} cannot be started: {}", last_words(&self.said))
            }
            Cause::PodNotCreated | Cause::WebhookAway => {
                format!("no new pod can be created: {said}")
            }
            Cause::Unschedulable => format!("no node can run {who}: {said}"),
            Cause::NoScheduler if ["", "default-scheduler"].contains(&&*self.said) => {
                format!("the cluster's scheduler has not processed {who}")
            }
            Cause::NoScheduler => {
                format!("no scheduler has processed {who}: its schedulerName is `{said}`")
            }
            Cause::ReadinessGate => self.at_a_gate(),
            Cause::NotReady if self.container.is_empty() => self.not_ready_as_a_whole(explanation),
            Cause::NotReady if self.said == STILL_RUNS => {
                format!("{who} still runs{}", self.last_line(explanation))
            }
            Cause::NotReady => self.not_ready(live, explanation),
            Cause::PodFails | Cause::NodeTrouble if self.nodes.is_some() => self.pods_failed(live),
            Cause::PodFails => format!("{who} failed: {said}"),
            Cause::PodKept => self.unreported(),
            Cause::NodeTrouble if self.silent.is_some() => self.unreported(),
            Cause::NodeTrouble => {
                let node = match self.node.as_str() {
                    "" => "its node".to_owned(),
                    node => format!("its node `{node}`"),
                };
                match self.said.as_str() {
                    "" => format!("{who} has a problem with {node}"),
                    said if is_taken_off(said) => {
                        format!("{who} was taken off {node}: {}", last_words(said))
                    }
                    said => format!("{who} has a problem with {node}: {}", last_words(said)),
                }
            }
            Cause::NotStarted => self.not_started(explanation),
        }
    }

    /// A pod of which its node has not reported what it should have.
    fn unreported(&self) -> String {
        let who = self.who();
        let on = match self.node.as_str() {
            "" => "its node".to_owned(),
            node => format!("node `{node}`"),
        };
        let way_out = match self.node.as_str() {
            "" => String::new(),
            node => format!(
                ". If the node is gone for good, delete it (`kubectl delete node {node}`), and it \
                 holds the rollout up no longer"
            ),
        };
        match &self.silent {
            Some((Silent::End, late)) => format!(
                "{who} is being deleted and holds its place: {on} has not reported that it ended, \
                 {} after it should have{way_out}",
                words(Duration::from_secs(late.as_secs()))
            ),
            Some((Silent::Kept(finalizers), late)) => {
                let late = words(Duration::from_secs(late.as_secs()));
                let ended =
                    format!("{who} is being deleted and holds its place: it has ended, and");
                match finalizers.as_str() {
                    "" => format!(
                        "{ended} {on} has not removed it, {late} after it should have{way_out}"
                    ),
                    names => format!(
                        "{ended} is still there, {late} after it should be gone, because of \
                         metadata.finalizers ({names}): whoever set them has not taken them away"
                    ),
                }
            }
            Some((Silent::Start, ago)) => format!(
                "{who} has not started: {on}, to which it was sent {} ago, has reported nothing \
                 about it{way_out}",
                words(Duration::from_secs(ago.as_secs()))
            ),
            None => String::new(),
        }
    }

    fn not_started(&self, explanation: &Explanation) -> String {
        let who = self.who();
        // A scheduler names the cause first, a runtime last.
        let warned = self.last_warning(explanation);
        let warned = warned.map(|event| match event.reason.as_str() {
            "FailedScheduling" => quoted(&event.message),
            _ => last_words(&event.message),
        });
        match (warned, self.said.as_str()) {
            (_, said) if self.init && said == STILL_RUNS => {
                let last = self.last_line(explanation);
                format!("{who} is still running, and the containers after it are waiting{last}")
            }
            (_, "") if self.is_pulling(explanation) => {
                format!("{who} has not started: its image is still being pulled")
            }
            (Some(event), _) => format!("{who} has not started: {event}"),
            (None, "") => format!("{who} has not started yet"),
            (None, said) => format!("{who} has not started yet: {}", quoted(said)),
        }
    }

    /// A pod that is ready as far as its kubelet knows.
    fn at_a_gate(&self) -> String {
        let who = self.who();
        let gate = self.gate.clone().unwrap_or_default();
        let name = gate.name;
        let why = match (gate.why.reason.as_str(), gate.why.message.as_str()) {
            ("", "") => String::new(),
            (reason, "") => format!(" ({reason})"),
            ("", message) => format!(": {}", quoted(message)),
            (reason, message) => format!(" ({reason}): {}", quoted(message)),
        };
        match gate.status.as_str() {
            "" => format!(
                "{who} is not ready: its containers are, and nothing has written the condition of \
                 its readiness gate `{name}`"
            ),
            status => format!(
                "{who} is not ready: its containers are, and its readiness gate `{name}` is \
                 {status}{why}"
            ),
        }
    }

    /// A pod that runs and is not ready, although no container shows why.
    fn not_ready_as_a_whole(&self, explanation: &Explanation) -> String {
        let who = self.who();
        let warned = self.last_warning(explanation);
        let warned = warned.map(|event| quoted(&event.message));
        match (self.said.as_str(), warned) {
            ("", Some(event)) => format!("{who} runs and is not ready: {event}"),
            ("", None) => format!("{who} runs and is not ready"),
            (said, _) => format!("{who} runs and is not ready: {}", quoted(said)),
        }
    }

    /// Pods that failed and were replaced.
    fn pods_failed(&self, live: &Workload) -> String {
        let (owner, set) = (live.kind().row().pod_owner, &self.set);
        let least = if self.is_cut { "at least " } else { "" };
        let pods = match self.ends {
            1 => format!("{least}one pod of {owner} `{set}`"),
            many => format!("{least}{many} pods of {owner} `{set}`"),
        };
        let what = match (self.reason.as_str(), self.ends) {
            ("Evicted", 1) => "was evicted".to_owned(),
            ("Evicted", _) => "were evicted".to_owned(),
            ("", _) => "failed".to_owned(),
            (reason, _) => format!("failed ({reason})"),
        };
        match (self.said.trim(), Excess::read(&self.said)) {
            (_, Some(excess)) => format!("{pods} {what}: {}", excess.sentence()),
            ("", None) => format!("{pods} {what}"),
            (said, None) => format!("{pods} {what}: {}", quoted(said)),
        }
    }

    /// The container's spec in the pod, else in the Deployment.
    fn spec<'a>(&self, live: &'a Workload) -> Option<Cow<'a, Value>> {
        let own = serde_json::from_str(&self.spec).ok().map(Cow::Owned);
        own.or_else(|| live.container(&self.container).map(Cow::Borrowed))
    }

    /// How a container repeatedly exits, with its last log line.
    fn end(&self, live: &Workload, explanation: &Explanation) -> String {
        let who = self.who();
        if let Some((kind, answer)) = self.killed_by_probe(explanation) {
            let kind = kind.to_lowercase();
            let probe = probe(self.spec(live).as_deref(), &format!("{kind}Probe"));
            return format!(
                "{who} is killed, {}, because its {kind} probe{probe} fails: {answer}",
                times(self.ends)
            );
        }
        if let Some(hook) = self.ended_by_hook(explanation) {
            let times = times(self.ends);
            // Newer kubelets keep the hook's output to themselves.
            let output = hook
                .contains(": ")
                .then(|| format!(": {}", last_words(hook)));
            let output = output.unwrap_or_default();
            return format!("{who} is killed, {times}, because its postStart hook fails{output}");
        }
        let (ended, last) = (self.ended(live), self.last_line(explanation));
        format!("{who} {ended}{last}")
    }

    /// The telling line of a termination message, or of the log, behind a colon; empty without one.
    fn last_line(&self, explanation: &Explanation) -> String {
        // A program writes its termination message to say why it exited.
        let said = self.said.lines().filter(|line| !line.trim().is_empty());
        let said = said.filter(|line| self.cause.ran() && *line != STILL_RUNS);
        let said = said.map(str::to_owned).collect::<Vec<_>>();
        let log = explanation.log.as_ref().and_then(|log| log.as_ref().ok());
        let last = telling(&said).or_else(|| log.and_then(|log| telling(log)));
        let line = last.map(|line| clip(plain(&line).trim_start(), QUOTE).replace('`', "'"));
        line.map(|line| format!(": `{line}`")).unwrap_or_default()
    }

    fn ended(&self, live: &Workload) -> String {
        let (times, code) = (times(self.ends), self.code);
        if self.cause == Cause::Ends {
            return format!(
                "exits with code 0, {times}; a container of a {} must keep running",
                live.kind().word()
            );
        }
        if self.cause != Cause::OutOfMemory {
            return format!("exits with code {code}{}, {times}", meaning(code));
        }
        let pod = memory_limit(live.template().get("spec"));
        match (memory_limit(self.spec(live).as_deref()), pod) {
            (Some(limit), _) => {
                format!("is killed for using more memory than its limit of {limit}, {times}")
            }
            (None, Some(limit)) => format!(
                "is killed, {times}, because its pod uses more memory than the pod's limit of \
                 {limit}"
            ),
            (None, None) => format!("is killed for using too much memory, {times}"),
        }
    }

    /// A failing hook ends its container, and only an event says so.
    fn ended_by_hook<'a>(&self, explanation: &'a Explanation) -> Option<&'a str> {
        let mut events = self.events(explanation).into_iter();
        let hook = events.rfind(|event| event.reason == "FailedPostStartHook")?;
        (self.cause == Cause::Crash).then_some(hook.message.as_str())
    }

    /// The probe because of which its kubelet kills the container. A container that nothing else
    /// can have ended so has these exit codes; a program that ends well when it is asked to has
    /// any, and the kubelet's own event says whom it killed.
    pub(super) fn killed_by_probe<'a>(
        &self,
        explanation: &'a Explanation,
    ) -> Option<(&'a str, String)> {
        if !matches!(self.cause, Cause::Crash | Cause::Ends) {
            return None;
        }
        // One killing among many ends of its own explains little.
        let killed = self.killings(explanation) * 2 >= self.ends.max(1);
        if !killed && ![137, 143].contains(&self.code) {
            return None;
        }
        let events = self.events(explanation).into_iter();
        let mut probes = events.filter_map(|event| of_probe(&event.message));
        probes.rfind(|(kind, _)| ["Liveness", "Startup"].contains(kind))
    }

    /// How often its kubelet has killed the container because of a probe.
    fn killings(&self, explanation: &Explanation) -> u64 {
        let says = ["liveness", "startup"]
            .map(|kind| format!("Container {} failed {kind} probe", self.container));
        let events = self.events(explanation).into_iter();
        let killings = events.filter(|event| says.iter().any(|it| event.message.starts_with(it)));
        killings.map(|event| event.count).max().unwrap_or_default()
    }

    fn not_ready(&self, live: &Workload, explanation: &Explanation) -> String {
        let who = self.who();
        let restarted = match (self.ends, self.killings(explanation)) {
            (0, _) => String::new(),
            (ends, killings) if killings * 2 >= ends => {
                format!(" (restarted {} by a failing probe)", times(ends))
            }
            (ends, _) => format!(" (it was restarted {})", times(ends)),
        };
        let (kind, field) = match self.starting {
            true => ("Startup", "startupProbe"),
            false => ("Readiness", "readinessProbe"),
        };
        // The newest: a program that is only starting refuses connections.
        let answer = self
            .events(explanation)
            .into_iter()
            .rev()
            .find_map(|event| {
                let (of, answer) = of_probe(&event.message)?;
                (of == kind).then_some(answer)
            });
        let probe = probe(self.spec(live).as_deref(), field);
        let kind = kind.to_lowercase();
        match answer {
            Some(answer) => {
                format!("{who} runs{restarted}, but its {kind} probe{probe} fails: {answer}")
            }
            None if probe.is_empty() => format!("{who} runs{restarted} and is not ready"),
            None => format!("{who} runs{restarted}, but its {kind} probe{probe} has not passed"),
        }
    }
}

/// Whether the scheduler or the eviction API has removed a pod from a node that is in order.
/// <https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions>
fn is_taken_off(said: &str) -> bool {
    let reasons = ["PreemptionByScheduler", "EvictionByEvictionAPI"];
    reasons.iter().any(|reason| said.starts_with(reason))
}

/// The meaning of some exit codes in shells and kernels.
/// <https://tldp.org/LDP/abs/html/exitcodes.html>
fn meaning(code: i64) -> &'static str {
    match code {
        126 => " (its command cannot be executed)",
        127 => " (its command was not found)",
        132 => " (illegal instruction)",
        134 => " (aborted)",
        135 => " (bus error)",
        136 => " (arithmetic error)",
        137 => " (killed)",
        139 => " (segmentation fault)",
        143 => " (terminated)",
        159 => " (a system call that seccomp forbids)",
        _ => "",
    }
}

fn memory_limit(container: Option<&Value>) -> Option<&str> {
    container?.pointer("/resources/limits/memory")?.as_str()
}

/// A probe in brackets: ` (HTTP GET :8080/health)`; empty if there is none.
fn probe(container: Option<&Value>, kind: &str) -> String {
    let probe = container.and_then(|it| it.get(kind));
    let Some(probe) = probe.filter(|probe| probe.is_object()) else {
        return String::new();
    };
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let port = |action: &Value| text(action.get("port"));
    let what = if let Some(get) = probe.get("httpGet") {
        format!("HTTP GET :{}{}", port(get), text(get.get("path")))
    } else if let Some(socket) = probe.get("tcpSocket") {
        format!("TCP :{}", port(socket))
    } else if let Some(grpc) = probe.get("grpc") {
        format!("gRPC :{}", port(grpc))
    } else {
        "a command".to_owned()
    };
    let late = probe["initialDelaySeconds"].as_u64().filter(|it| *it >= 30);
    let late = late.map(|it| format!(", from {it} s after the start"));
    format!(" ({what}{})", late.unwrap_or_default())
}
