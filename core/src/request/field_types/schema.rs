//! The types of the workloads' fields that people often get wrong.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

use Type::{Amount, Anywhere, Flag, List, Map, Object, Secret, Text, Whole, WholeOrText};

/// Fields of an object, by names with spaces between them; others are of any type.
type Fields = &'static [(&'static str, Type)];

/// The type of a value. `null` always fits: the API server treats it as absent.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Text,
    /// A text that no message may quote.
    Secret,
    Whole,
    Flag,
    /// A port or a percentage: `80`, `"http"`, `"25%"`.
    WholeOrText,
    /// A quantity: `1`, `0.5`, `"500m"`.
    Amount,
    /// A list, and the type of its items.
    List(&'static Type),
    /// An object whose values are of one type.
    Map(&'static Type),
    /// An object with these fields.
    Object(Fields),
    /// Any value; below it, in whatever depth, these fields have a type.
    Anywhere(Fields),
}

impl Type {
    /// The type of a list's items, if it is known.
    pub(super) fn item(self) -> Option<Type> {
        if let List(item) = self {
            return Some(*item);
        }
        matches!(self, Anywhere(_)).then_some(self)
    }

    /// The type of an object's field, if it is known.
    pub(super) fn field(self, name: &str) -> Option<Type> {
        let (fields, others) = match self {
            Object(fields) => (fields, None),
            Anywhere(fields) => (fields, Some(self)),
            Map(value) => return Some(*value),
            Text | Secret | Whole | Flag | WholeOrText | Amount | List(_) => return None,
        };
        let is_it = |(names, _): &&(&str, Type)| names.split(' ').any(|one| one == name);
        fields.iter().find(is_it).map(|(_, is)| *is).or(others)
    }
}

const ANY: Type = Anywhere(&[]);
const TEXTS: Type = List(&Text);
const TEXT_MAP: Type = Map(&Text);

/// A workload.
pub(super) const WORKLOAD: Type = Object(&[("metadata", METADATA), ("spec", SPEC)]);

const METADATA: Type = Object(&[
    ("name namespace generateName", Text),
    ("labels annotations", TEXT_MAP),
    ("finalizers", TEXTS),
]);

const SPEC: Type = Object(&[
    ("selector", SELECTOR),
    ("template", TEMPLATE),
    ("strategy updateStrategy", UPDATE),
    ("minReadySeconds revisionHistoryLimit", Whole),
    ("progressDeadlineSeconds", Whole),
    ("paused", Flag),
    ("serviceName podManagementPolicy", Text),
    ("volumeClaimTemplates", List(&ANY)),
]);

const SELECTOR: Type = Object(&[
    ("matchLabels", TEXT_MAP),
    ("matchExpressions", List(&EXPRESSION)),
]);

const EXPRESSION: Type = Object(&[("key operator", Text), ("values", TEXTS)]);

/// A template that is not an object is refused elsewhere, so its own shape is not checked here.
const TEMPLATE: Type = Anywhere(&[("metadata", METADATA), ("spec", POD)]);

const UPDATE: Type = Object(&[("type", Text), ("rollingUpdate", ROLLING)]);

const ROLLING: Type = Object(&[
    ("maxSurge maxUnavailable", WholeOrText),
    ("partition", Whole),
]);

const POD: Type = Object(&[
    ("containers initContainers", List(&CONTAINER)),
    ("volumes", List(&VOLUME)),
    ("imagePullSecrets", List(&NAMED)),
    ("tolerations", List(&TOLERATION)),
    ("hostAliases", List(&HOST_ALIAS)),
    ("topologySpreadConstraints", List(&SPREAD)),
    ("readinessGates", List(&ANY)),
    ("securityContext", SECURITY),
    ("terminationGracePeriodSeconds", Whole),
    ("activeDeadlineSeconds priority", Whole),
    ("dnsConfig", DNS),
    ("nodeSelector", TEXT_MAP),
    ("hostNetwork hostPID hostIPC hostUsers", Flag),
    ("shareProcessNamespace enableServiceLinks", Flag),
    ("automountServiceAccountToken setHostnameAsFQDN", Flag),
    ("restartPolicy serviceAccountName serviceAccount", Text),
    ("nodeName hostname subdomain schedulerName", Text),
    ("priorityClassName dnsPolicy runtimeClassName", Text),
    ("preemptionPolicy", Text),
    ("affinity", AFFINITY),
]);

const NAMED: Type = Object(&[("name value", Text)]);

const TOLERATION: Type = Object(&[
    ("key operator value effect", Text),
    ("tolerationSeconds", Whole),
]);

const HOST_ALIAS: Type = Object(&[("ip", Text), ("hostnames", TEXTS)]);

const SPREAD: Type = Object(&[
    ("topologyKey whenUnsatisfiable", Text),
    ("maxSkew minDomains", Whole),
    ("labelSelector", SELECTOR),
]);

const DNS: Type = Object(&[("nameservers searches", TEXTS), ("options", List(&NAMED))]);

const AFFINITY: Type = Anywhere(&[
    ("matchLabels", TEXT_MAP),
    ("topologyKey key operator", Text),
    ("values namespaces", TEXTS),
    ("weight", Whole),
]);

const CONTAINER: Type = Object(&[
    ("name image imagePullPolicy workingDir", Text),
    ("terminationMessagePath terminationMessagePolicy", Text),
    ("restartPolicy", Text),
    ("command args", TEXTS),
    ("stdin stdinOnce tty", Flag),
    ("env", List(&ENV)),
    ("envFrom", List(&ENV_FROM)),
    ("ports", List(&PORT)),
    ("volumeMounts", List(&MOUNT)),
    ("volumeDevices", List(&Object(&[]))),
    ("resources", Object(&[("limits requests", Map(&Amount))])),
    ("securityContext", SECURITY),
    ("livenessProbe readinessProbe startupProbe", PROBE),
    ("lifecycle", Object(&[("preStop postStart", PROBE)])),
]);

const ENV: Type = Object(&[("name", Text), ("value", Secret), ("valueFrom", VALUE_FROM)]);

const VALUE_FROM: Type = Object(&[
    ("configMapKeyRef secretKeyRef", REFERENCE),
    ("fieldRef", Object(&[("fieldPath apiVersion", Text)])),
    (
        "resourceFieldRef",
        Object(&[("containerName resource", Text)]),
    ),
]);

const REFERENCE: Type = Object(&[("name key", Text), ("optional", Flag)]);

const ENV_FROM: Type = Object(&[("prefix", Text), ("configMapRef secretRef", REFERENCE)]);

const PORT: Type = Object(&[
    ("name protocol hostIP", Text),
    ("containerPort hostPort", Whole),
]);

const MOUNT: Type = Object(&[
    ("readOnly", Flag),
    ("name mountPath subPath subPathExpr", Text),
    ("mountPropagation", Text),
]);

/// A probe, or a handler of the lifecycle, which has some of its fields.
const PROBE: Type = Object(&[
    ("initialDelaySeconds timeoutSeconds periodSeconds", Whole),
    ("successThreshold failureThreshold", Whole),
    ("terminationGracePeriodSeconds", Whole),
    ("grpc", Object(&[("port", Whole), ("service", Text)])),
    ("httpGet tcpSocket", CALL),
    ("exec", Object(&[("command", TEXTS)])),
    ("sleep", Object(&[("seconds", Whole)])),
]);

const CALL: Type = Object(&[
    ("port", WholeOrText),
    ("path host scheme", Text),
    ("httpHeaders", List(&NAMED)),
]);

const SECURITY: Type = Object(&[
    ("runAsUser runAsGroup fsGroup", Whole),
    ("supplementalGroups", List(&Whole)),
    ("runAsNonRoot privileged", Flag),
    ("allowPrivilegeEscalation readOnlyRootFilesystem", Flag),
    ("fsGroupChangePolicy procMount", Text),
    ("supplementalGroupsPolicy", Text),
    ("capabilities", Object(&[("add drop", TEXTS)])),
    ("seccompProfile appArmorProfile", PROFILE),
    ("seLinuxOptions", Object(&[("user role type level", Text)])),
    ("sysctls", List(&NAMED)),
]);

const PROFILE: Type = Object(&[("type localhostProfile", Text)]);

const VOLUME: Type = Object(&[
    ("name", Text),
    ("configMap secret", FILES),
    ("projected downwardAPI", Object(&[("defaultMode", Whole)])),
    (
        "emptyDir",
        Object(&[("medium", Text), ("sizeLimit", Amount)]),
    ),
    ("hostPath", Object(&[("path type", Text)])),
    ("persistentVolumeClaim", CLAIM),
    ("nfs", Object(&[("server path", Text)])),
    ("csi", CSI),
]);

const FILES: Type = Object(&[
    ("name secretName", Text),
    ("defaultMode", Whole),
    ("optional", Flag),
    ("items", List(&FILE)),
]);

const FILE: Type = Object(&[("key path", Text), ("mode", Whole)]);

const CLAIM: Type = Object(&[("claimName", Text), ("readOnly", Flag)]);

const CSI: Type = Object(&[("driver", Text), ("volumeAttributes", TEXT_MAP)]);
