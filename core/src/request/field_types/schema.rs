//! The types of the workloads' fields that people often get wrong.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

/// The type of a field's value. `null` always fits: the API server treats it as absent.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Type {
    Text,
    Whole,
    Flag,
    /// A port or a percentage: `80`, `"http"`, `"25%"`.
    WholeOrText,
    /// A quantity: `1`, `0.5`, `"500m"`.
    Amount,
    List,
    Object,
    Texts,
    Wholes,
    /// An object whose values are strings.
    TextMap,
    AmountMap,
}

/// The type of the field with this path; `None` if it is not listed here.
pub(super) fn field_type(fields: &[&str]) -> Option<Type> {
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
        ["spec", "updateStrategy"] => Some(Type::Object),
        [
            "spec",
            "updateStrategy",
            "rollingUpdate",
            "maxSurge" | "maxUnavailable",
        ] => Some(Type::WholeOrText),
        ["spec", "updateStrategy", "rollingUpdate", "partition"] => Some(Type::Whole),
        ["spec", "updateStrategy", "type"] | ["spec", "serviceName" | "podManagementPolicy"] => {
            Some(Type::Text)
        }
        ["spec", "volumeClaimTemplates"] => Some(Type::List),
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
