//! Values of a manifest whose type is not their field's: what the API server refuses in Go's words,
//! without a place, is told by its path before it is sent.
//!
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

use super::checks::kind;
use crate::problem::Fault;
use crate::request::document::place_of;
use crate::request::image::shown;
use serde_json::Value;

/// The most values that are told.
const TOLD: usize = 20;

/// What a field's value must be. `null` is always right: the API server takes it for an absence.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    Text,
    Whole,
    Flag,
    /// A port or a share: `80`, `"http"`, `"25%"`.
    WholeOrText,
    /// An amount: `1`, `0.5`, `"500m"`.
    Amount,
    List,
    Object,
    Texts,
    Wholes,
    /// An object whose values are texts.
    TextMap,
    AmountMap,
}

/// Finds each value of the wrong type in a Deployment.
pub(super) fn wrong_types(manifest: &Value) -> Vec<Fault> {
    let mut found = Found {
        faults: Vec::new(),
        fields: Vec::new(),
    };
    found.value(manifest, &mut "manifest".to_owned());
    found.faults
}

struct Found<'a> {
    faults: Vec<Fault>,
    /// The names of the fields that lead to a value, without the places in lists.
    fields: Vec<&'a str>,
}

impl<'a> Found<'a> {
    /// The depth was limited when it was read.
    fn value(&mut self, value: &'a Value, path: &mut String) {
        if value.is_null() || self.faults.len() >= TOLD {
            return;
        }
        if let Some(expected) = field_type(&self.fields)
            && !self.fits(expected, value, path)
        {
            return;
        }
        let length = path.len();
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push_str(&format!("[{}]", place_of(item, index)));
                    self.fields.push("[]");
                    self.value(item, path);
                    self.fields.pop();
                    path.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    path.push('.');
                    path.push_str(name);
                    self.fields.push(name);
                    self.value(value, path);
                    self.fields.pop();
                    path.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether a value is of a type; what it has in it is looked at, too.
    fn fits(&mut self, expected: Type, value: &Value, path: &str) -> bool {
        let whole = |value: &Value| value.is_i64() || value.is_u64();
        let fits = match expected {
            Type::Text => value.is_string(),
            Type::Whole => whole(value),
            Type::Flag => value.is_boolean(),
            Type::WholeOrText => whole(value) || value.is_string(),
            Type::Amount => value.is_number() || value.as_str().is_some_and(is_amount),
            Type::List | Type::Texts | Type::Wholes => value.is_array(),
            Type::Object | Type::TextMap | Type::AmountMap => value.is_object(),
        };
        if !fits {
            let is_secret = self.fields.ends_with(&["env", "[]", "value"]);
            let problem = problem(expected, value, is_secret);
            self.faults.push(Fault::new(path, problem));
            return false;
        }
        let inner = match expected {
            Type::Texts | Type::TextMap => Type::Text,
            Type::Wholes => Type::Whole,
            Type::AmountMap => Type::Amount,
            Type::Text
            | Type::Whole
            | Type::Flag
            | Type::WholeOrText
            | Type::Amount
            | Type::List
            | Type::Object => return true,
        };
        let items = value.as_array().into_iter().flatten().enumerate();
        let items = items.map(|(index, item)| (format!("{path}[{index}]"), item));
        let entries = value.as_object().into_iter().flatten();
        let entries = entries.map(|(name, entry)| (format!("{path}.{name}"), entry));
        for (path, item) in items.chain(entries) {
            if !item.is_null() && self.faults.len() < TOLD {
                self.fits(inner, item, &path);
            }
        }
        // Nothing in it is looked at again.
        false
    }
}

/// Whether a text is a quantity of Kubernetes; the places of variables are filled by now, or told.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
fn is_amount(text: &str) -> bool {
    const SUFFIXES: [&str; 15] = [
        "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi",
    ];
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let exponent = suffix.strip_prefix(['e', 'E']);
    let is_exponent = exponent.is_some_and(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_number = number.bytes().any(|byte| byte.is_ascii_digit());
    let is_suffix = SUFFIXES.contains(&suffix) || suffix == "Ei" || is_exponent;
    is_number && number.matches('.').count() <= 1 && is_suffix
}

fn problem(expected: Type, value: &Value, is_secret: bool) -> String {
    let is = match value {
        // It is YAML's reading of a word; who has the file sees which.
        Value::Bool(_) if is_secret => "true or false".to_owned(),
        Value::Number(_) if is_secret => "a number".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if expected == Type::Amount => format!("`{}`", shown(text)),
        Value::String(text) if text.contains("${") => "a text, as a filled `${…}` always is".into(),
        other @ (Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            kind(other).to_owned()
        }
    };
    let how = match (expected, value) {
        (Type::Text, Value::Bool(_)) => {
            ": put it in quotes. Without them YAML reads `yes`, `no`, `on`, `off`, `y` and `n` as \
             true and false"
        }
        (Type::Text, Value::Number(_)) => ": put it in quotes",
        (Type::Text, Value::Object(_)) => {
            ": put it in quotes where it is a text with `: ` in it, which YAML takes for a field"
        }
        (Type::Whole | Type::Flag, Value::String(_)) => ": leave the quotes out",
        (Type::List, Value::Object(_)) => ": begin each entry with `- `",
        (Type::Texts, Value::String(_)) => ": write [\"…\"]",
        _ => "",
    };
    let must = match expected {
        Type::Text => "text",
        Type::Whole => "a whole number",
        Type::Flag => "true or false",
        Type::WholeOrText => "a whole number or text",
        Type::Amount => "an amount such as 1, \"500m\" or \"512Mi\"",
        Type::List => "a list",
        Type::Texts => "a list of texts",
        Type::Wholes => "a list of whole numbers",
        Type::Object => "an object",
        Type::TextMap => "an object of texts",
        Type::AmountMap => "an object of amounts",
    };
    format!("must be {must}, and is {is}{how}")
}

/// The type of the field that these names lead to; `None` where it is not known here.
fn field_type(fields: &[&str]) -> Option<Type> {
    match fields {
        ["metadata" | "spec"] => Some(Type::Object),
        ["metadata", rest @ ..] | ["spec", "template", "metadata", rest @ ..] => metadata(rest),
        ["spec", "template", "spec", rest @ ..] => pod(rest),
        ["spec", "selector" | "strategy"] => Some(Type::Object),
        ["spec", "selector", rest @ ..] => selector(rest),
        [
            "spec",
            "minReadySeconds" | "revisionHistoryLimit" | "progressDeadlineSeconds",
        ] => Some(Type::Whole),
        ["spec", "paused"] => Some(Type::Flag),
        ["spec", "strategy", "type"] => Some(Type::Text),
        [
            "spec",
            "strategy",
            "rollingUpdate",
            "maxSurge" | "maxUnavailable",
        ] => Some(Type::WholeOrText),
        _ => None,
    }
}

fn metadata(fields: &[&str]) -> Option<Type> {
    match fields {
        [] => Some(Type::Object),
        ["name" | "namespace" | "generateName"] => Some(Type::Text),
        ["labels" | "annotations"] => Some(Type::TextMap),
        ["finalizers"] => Some(Type::Texts),
        _ => None,
    }
}

fn selector(fields: &[&str]) -> Option<Type> {
    match fields {
        ["matchLabels"] => Some(Type::TextMap),
        ["matchExpressions"] => Some(Type::List),
        ["matchExpressions", "[]", "key" | "operator"] => Some(Type::Text),
        ["matchExpressions", "[]", "values"] => Some(Type::Texts),
        _ => None,
    }
}

fn pod(fields: &[&str]) -> Option<Type> {
    match fields {
        [] => Some(Type::Object),
        ["containers" | "initContainers" | "volumes" | "imagePullSecrets" | "tolerations"]
        | ["hostAliases" | "topologySpreadConstraints" | "readinessGates"] => Some(Type::List),
        [
            "containers" | "initContainers" | "volumes" | "imagePullSecrets" | "tolerations",
            "[]",
        ] => Some(Type::Object),
        ["containers" | "initContainers", "[]", rest @ ..] => container(rest),
        ["volumes", "[]", rest @ ..] => volume(rest),
        ["securityContext", rest @ ..] => security(rest),
        ["imagePullSecrets", "[]", "name"]
        | ["tolerations", "[]", "key" | "operator" | "value" | "effect"]
        | ["hostAliases", "[]", "ip"]
        | [
            "topologySpreadConstraints",
            "[]",
            "topologyKey" | "whenUnsatisfiable",
        ] => Some(Type::Text),
        ["tolerations", "[]", "tolerationSeconds"]
        | ["topologySpreadConstraints", "[]", "maxSkew" | "minDomains"]
        | ["terminationGracePeriodSeconds" | "activeDeadlineSeconds" | "priority"] => {
            Some(Type::Whole)
        }
        [
            "topologySpreadConstraints",
            "[]",
            "labelSelector",
            rest @ ..,
        ] => selector(rest),
        ["hostAliases", "[]", "hostnames"] | ["dnsConfig", "nameservers" | "searches"] => {
            Some(Type::Texts)
        }
        ["dnsConfig", "options", "[]", "name" | "value"] => Some(Type::Text),
        ["nodeSelector"] => Some(Type::TextMap),
        [
            "hostNetwork"
            | "hostPID"
            | "hostIPC"
            | "shareProcessNamespace"
            | "enableServiceLinks"
            | "automountServiceAccountToken"
            | "setHostnameAsFQDN"
            | "hostUsers",
        ] => Some(Type::Flag),
        [
            "restartPolicy" | "serviceAccountName" | "serviceAccount" | "nodeName" | "hostname"
            | "subdomain" | "schedulerName" | "priorityClassName" | "dnsPolicy"
            | "runtimeClassName" | "preemptionPolicy",
        ] => Some(Type::Text),
        ["affinity", .., "matchLabels"] => Some(Type::TextMap),
        ["affinity", .., "topologyKey" | "key" | "operator"] => Some(Type::Text),
        ["affinity", .., "values" | "namespaces"] => Some(Type::Texts),
        ["affinity", .., "weight"] => Some(Type::Whole),
        _ => None,
    }
}

fn container(fields: &[&str]) -> Option<Type> {
    match fields {
        [
            "name"
            | "image"
            | "imagePullPolicy"
            | "workingDir"
            | "terminationMessagePath"
            | "terminationMessagePolicy"
            | "restartPolicy",
        ] => Some(Type::Text),
        ["command" | "args"] => Some(Type::Texts),
        ["stdin" | "stdinOnce" | "tty"] => Some(Type::Flag),
        ["env" | "envFrom" | "ports" | "volumeMounts" | "volumeDevices"] => Some(Type::List),
        [
            "env" | "envFrom" | "ports" | "volumeMounts" | "volumeDevices",
            "[]",
        ] => Some(Type::Object),
        ["env", "[]", "name" | "value"] | ["envFrom", "[]", "prefix"] => Some(Type::Text),
        [
            "env",
            "[]",
            "valueFrom",
            "fieldRef",
            "fieldPath" | "apiVersion",
        ]
        | [
            "env",
            "[]",
            "valueFrom",
            "configMapKeyRef" | "secretKeyRef",
            "name" | "key",
        ]
        | [
            "env",
            "[]",
            "valueFrom",
            "resourceFieldRef",
            "containerName" | "resource",
        ]
        | ["envFrom", "[]", "configMapRef" | "secretRef", "name"] => Some(Type::Text),
        [
            "env",
            "[]",
            "valueFrom",
            "configMapKeyRef" | "secretKeyRef",
            "optional",
        ]
        | ["envFrom", "[]", "configMapRef" | "secretRef", "optional"] => Some(Type::Flag),
        ["ports", "[]", "name" | "protocol" | "hostIP"] => Some(Type::Text),
        ["ports", "[]", "containerPort" | "hostPort"] => Some(Type::Whole),
        ["volumeMounts", "[]", "readOnly"] => Some(Type::Flag),
        [
            "volumeMounts",
            "[]",
            "name" | "mountPath" | "subPath" | "subPathExpr" | "mountPropagation",
        ] => Some(Type::Text),
        ["resources" | "securityContext" | "lifecycle"] => Some(Type::Object),
        ["resources", "limits" | "requests"] => Some(Type::AmountMap),
        ["securityContext", rest @ ..] => security(rest),
        [
            "livenessProbe" | "readinessProbe" | "startupProbe",
            rest @ ..,
        ] => probe(rest),
        ["lifecycle", "preStop" | "postStart", rest @ ..] => handler(rest),
        _ => None,
    }
}

fn probe(fields: &[&str]) -> Option<Type> {
    match fields {
        [] => Some(Type::Object),
        [
            "initialDelaySeconds"
            | "timeoutSeconds"
            | "periodSeconds"
            | "successThreshold"
            | "failureThreshold"
            | "terminationGracePeriodSeconds",
        ]
        | ["grpc", "port"] => Some(Type::Whole),
        ["grpc", "service"] => Some(Type::Text),
        rest => handler(rest),
    }
}

fn handler(fields: &[&str]) -> Option<Type> {
    match fields {
        [] | ["httpGet" | "tcpSocket" | "exec"] => Some(Type::Object),
        ["httpGet" | "tcpSocket", "port"] => Some(Type::WholeOrText),
        ["httpGet", "path" | "host" | "scheme"] | ["tcpSocket", "host"] => Some(Type::Text),
        ["httpGet", "httpHeaders"] => Some(Type::List),
        ["httpGet", "httpHeaders", "[]", "name" | "value"] => Some(Type::Text),
        ["exec", "command"] => Some(Type::Texts),
        ["sleep", "seconds"] => Some(Type::Whole),
        _ => None,
    }
}

fn security(fields: &[&str]) -> Option<Type> {
    match fields {
        [] => Some(Type::Object),
        ["runAsUser" | "runAsGroup" | "fsGroup"] => Some(Type::Whole),
        ["supplementalGroups"] => Some(Type::Wholes),
        ["runAsNonRoot" | "privileged" | "allowPrivilegeEscalation" | "readOnlyRootFilesystem"] => {
            Some(Type::Flag)
        }
        ["fsGroupChangePolicy" | "procMount" | "supplementalGroupsPolicy"] => Some(Type::Text),
        ["capabilities", "add" | "drop"] => Some(Type::Texts),
        [
            "seccompProfile" | "appArmorProfile",
            "type" | "localhostProfile",
        ] => Some(Type::Text),
        ["seLinuxOptions", "user" | "role" | "type" | "level"] => Some(Type::Text),
        ["sysctls", "[]", "name" | "value"] => Some(Type::Text),
        _ => None,
    }
}

fn volume(fields: &[&str]) -> Option<Type> {
    match fields {
        ["name"] => Some(Type::Text),
        ["configMap" | "secret" | "emptyDir" | "hostPath" | "persistentVolumeClaim"] => {
            Some(Type::Object)
        }
        ["configMap", "name"] | ["secret", "secretName"] => Some(Type::Text),
        [
            "configMap" | "secret" | "projected" | "downwardAPI",
            "defaultMode",
        ] => Some(Type::Whole),
        ["configMap" | "secret", "optional"] | ["persistentVolumeClaim", "readOnly"] => {
            Some(Type::Flag)
        }
        ["configMap" | "secret", "items"] => Some(Type::List),
        ["configMap" | "secret", "items", "[]", "key" | "path"] => Some(Type::Text),
        ["configMap" | "secret", "items", "[]", "mode"] => Some(Type::Whole),
        ["emptyDir", "medium"] | ["hostPath", "path" | "type"] => Some(Type::Text),
        ["emptyDir", "sizeLimit"] => Some(Type::Amount),
        ["persistentVolumeClaim", "claimName"] | ["nfs", "server" | "path"] => Some(Type::Text),
        ["csi", "driver"] => Some(Type::Text),
        ["csi", "volumeAttributes"] => Some(Type::TextMap),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
