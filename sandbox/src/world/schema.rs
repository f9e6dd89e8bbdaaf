//! The fields that the API server knows, as a table: what strict decoding refuses, what pruning
//! drops, and by which key a strategic merge patch joins two lists.

use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One type a line: `Type field:shape …`.
/// Shapes: `s` string, `i` integer, `l` long integer, `b` boolean (dropped when zero, as Go's
/// `omitempty` does), with `!` a pointer (kept when zero), `q` a quantity or int-or-string,
/// `*` anything, `{s}` a map, `[T]` a list that a patch replaces, `[T]@key` a list that it merges
/// by key, `[s]+` a merged set. The fields stand in the order of the Go type.
const TABLE: &str = "\
Deployment apiVersion:s kind:s metadata:ObjectMeta spec:DeploymentSpec status:*
ReplicaSet apiVersion:s kind:s metadata:ObjectMeta spec:ReplicaSetSpec status:*
Pod apiVersion:s kind:s metadata:ObjectMeta spec:PodSpec status:*
Service apiVersion:s kind:s metadata:ObjectMeta spec:ServiceSpec status:*
Scale apiVersion:s kind:s metadata:ObjectMeta spec:ScaleSpec status:*
ScaleSpec replicas:i
ObjectMeta name:s generateName:s namespace:s selfLink:s uid:s resourceVersion:s generation:l \
 creationTimestamp:s deletionTimestamp:s deletionGracePeriodSeconds:l! labels:{s} annotations:{s} \
 ownerReferences:[OwnerReference]@uid finalizers:[s]+ managedFields:[*]
OwnerReference apiVersion:s kind:s name:s uid:s controller:b! blockOwnerDeletion:b!
DeploymentSpec replicas:i! selector:LabelSelector template:PodTemplateSpec \
 strategy:DeploymentStrategy minReadySeconds:i revisionHistoryLimit:i! paused:b \
 progressDeadlineSeconds:i!
ReplicaSetSpec replicas:i! minReadySeconds:i selector:LabelSelector template:PodTemplateSpec
DeploymentStrategy type:s rollingUpdate:RollingUpdateDeployment
RollingUpdateDeployment maxUnavailable:q maxSurge:q
LabelSelector matchLabels:{s} matchExpressions:[LabelSelectorRequirement]
LabelSelectorRequirement key:s operator:s values:[s]
PodTemplateSpec metadata:ObjectMeta spec:PodSpec
PodSpec volumes:[Volume]@name initContainers:[Container]@name containers:[Container]@name \
 ephemeralContainers:[*]@name restartPolicy:s terminationGracePeriodSeconds:l! \
 activeDeadlineSeconds:l! dnsPolicy:s nodeSelector:{s} serviceAccountName:s serviceAccount:s \
 automountServiceAccountToken:b! nodeName:s hostNetwork:b hostPID:b hostIPC:b \
 shareProcessNamespace:b! securityContext:* imagePullSecrets:[LocalObjectReference]@name \
 hostname:s subdomain:s affinity:* schedulerName:s tolerations:[*] hostAliases:[*]@ip \
 priorityClassName:s priority:i! dnsConfig:* readinessGates:[*] runtimeClassName:s! \
 enableServiceLinks:b! preemptionPolicy:s! overhead:{q} \
 topologySpreadConstraints:[*]@topologyKey setHostnameAsFQDN:b! os:* hostUsers:b! \
 schedulingGates:[*]@name resourceClaims:[*]@name resources:*
LocalObjectReference name:s
Volume name:s hostPath:* emptyDir:* gcePersistentDisk:* awsElasticBlockStore:* secret:* nfs:* \
 iscsi:* persistentVolumeClaim:* downwardAPI:* fc:* configMap:* projected:* csi:* ephemeral:* \
 image:* azureFile:* azureDisk:* cephfs:* glusterfs:* rbd:* cinder:* flexVolume:* flocker:* \
 vsphereVolume:* quobyte:* portworxVolume:* scaleIO:* storageos:* gitRepo:* photonPersistentDisk:*
Container name:s image:s command:[s] args:[s] workingDir:s ports:[ContainerPort]@containerPort \
 envFrom:[EnvFromSource] env:[EnvVar]@name resources:* resizePolicy:[*] restartPolicy:s! \
 restartPolicyRules:[*] volumeMounts:[VolumeMount]@mountPath volumeDevices:[*]@devicePath \
 livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:* \
 terminationMessagePath:s terminationMessagePolicy:s imagePullPolicy:s securityContext:* stdin:b \
 stdinOnce:b tty:b
ContainerPort name:s hostPort:i containerPort:i protocol:s hostIP:s
EnvVar name:s value:s valueFrom:EnvVarSource
EnvVarSource fieldRef:* resourceFieldRef:* configMapKeyRef:* secretKeyRef:* fileKeyRef:*
EnvFromSource prefix:s configMapRef:* secretRef:*
VolumeMount name:s readOnly:b recursiveReadOnly:s! mountPath:s subPath:s mountPropagation:s! \
 subPathExpr:s
Probe exec:* httpGet:* tcpSocket:* grpc:* initialDelaySeconds:i timeoutSeconds:i periodSeconds:i \
 successThreshold:i failureThreshold:i terminationGracePeriodSeconds:l!
ServiceSpec ports:[ServicePort]@port selector:{s} clusterIP:s clusterIPs:[s] type:s \
 externalIPs:[s] sessionAffinity:s loadBalancerIP:s loadBalancerSourceRanges:[s] externalName:s \
 externalTrafficPolicy:s healthCheckNodePort:i publishNotReadyAddresses:b \
 sessionAffinityConfig:* ipFamilies:[s] ipFamilyPolicy:s! allocateLoadBalancerNodePorts:b! \
 loadBalancerClass:s! internalTrafficPolicy:s! trafficDistribution:s!
ServicePort name:s protocol:s appProtocol:s! port:i targetPort:q nodePort:i";

/// The fields of each type, with their places in it.
static TYPES: LazyLock<BTreeMap<&'static str, Fields>> =
    LazyLock::new(|| TABLE.lines().filter_map(row).collect());

type Fields = BTreeMap<&'static str, (usize, Shape)>;

fn row(line: &'static str) -> Option<(&'static str, Fields)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let fields = words.filter_map(|word| word.split_once(':'));
    Some((
        name,
        fields
            .enumerate()
            .map(|(place, (field, shape))| (field, (place, Shape::parse(shape))))
            .collect(),
    ))
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text {
        pointer: bool,
    },
    Integer {
        pointer: bool,
        /// Of 64 bits instead of 32.
        long: bool,
    },
    Boolean {
        pointer: bool,
    },
    Any,
    TextMap,
    AnyMap,
    /// A list of primitives; `merged` ones join as a set.
    TextList {
        merged: bool,
    },
    /// A list of objects; with a key, a strategic merge patch joins it.
    List {
        item: Option<&'static str>,
        key: Option<&'static str>,
    },
    Object(&'static str),
}

impl Shape {
    /// The type of the object that the field holds.
    pub(super) fn object(self) -> Option<&'static str> {
        if let Shape::Object(kind) = self {
            Some(kind)
        } else {
            None
        }
    }

    /// By which field a patch joins two lists.
    pub(super) fn key(self) -> Option<&'static str> {
        if let Shape::List { key, .. } = self {
            key
        } else {
            None
        }
    }

    fn parse(text: &'static str) -> Shape {
        match text {
            "s" | "s!" => Shape::Text {
                pointer: text.ends_with('!'),
            },
            "i" | "i!" | "l" | "l!" => Shape::Integer {
                pointer: text.ends_with('!'),
                long: text.starts_with('l'),
            },
            "b" | "b!" => Shape::Boolean {
                pointer: text.ends_with('!'),
            },
            "q" | "*" => Shape::Any,
            "{s}" => Shape::TextMap,
            "{q}" => Shape::AnyMap,
            "[s]" | "[s]+" => Shape::TextList {
                merged: text.ends_with('+'),
            },
            list if list.starts_with('[') => {
                let (item, key) = list
                    .trim_start_matches('[')
                    .split_once(']')
                    .unwrap_or((list, ""));
                let key = key.strip_prefix('@');
                Shape::List {
                    item: Some(item).filter(|item| *item != "*"),
                    key,
                }
            }
            object => Shape::Object(object),
        }
    }
}

/// The shape of a field of a type; what the table does not know is anything.
pub(super) fn shape(of: Option<&str>, field: &str) -> Shape {
    let fields = of.and_then(|name| TYPES.get(name));
    fields
        .and_then(|fields| fields.get(field))
        .map_or(Shape::Any, |(_, shape)| *shape)
}

/// Whether the table knows objects of this kind; others are stored as they come.
pub(super) fn knows(kind: &str) -> bool {
    TYPES.contains_key(kind)
}

/// What decoding found.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    /// Paths of fields that no type has, as strict decoding names them.
    pub(super) unknown: Vec<String>,
    /// Values of a wrong type.
    pub(super) mismatch: Option<Mismatch>,
}

/// A value of a wrong type, in the words of Go's JSON decoder, and in those of the converter that
/// a strategic merge patch goes through: the one meets them in the order of the document, the other
/// in the order of the types' fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mismatch {
    pub(super) decoder: String,
    pub(super) converter: String,
    places: Vec<usize>,
}

/// Decodes as a typed server does: unknown fields, nulls and zero values go.
pub(super) fn decode(kind: &str, object: &mut Value) -> Decoded {
    let mut decoded = Decoded::default();
    if let Some(map) = object.as_object_mut().filter(|_| knows(kind)) {
        decode_object(kind, map, &mut Path::default(), &mut decoded);
    }
    decoded
}

/// A path twice: with list indices for strict decoding, without for Go's decoder.
#[derive(Default)]
struct Path {
    indexed: String,
    plain: String,
    /// The places of the fields in their types, and the indices of items.
    places: Vec<usize>,
}

impl Path {
    fn field(&self, name: &str, place: usize) -> Path {
        let join = |base: &str| match base {
            "" => name.to_owned(),
            base => format!("{base}.{name}"),
        };
        Path {
            indexed: join(&self.indexed),
            plain: join(&self.plain),
            places: self.places.iter().copied().chain([place]).collect(),
        }
    }

    fn item(&self, index: usize) -> Path {
        Path {
            indexed: format!("{}[{index}]", self.indexed),
            plain: self.plain.clone(),
            places: self.places.iter().copied().chain([index]).collect(),
        }
    }
}

fn decode_object(kind: &str, map: &mut Map<String, Value>, path: &mut Path, found: &mut Decoded) {
    let Some(fields) = TYPES.get(kind) else {
        return;
    };
    let names: Vec<String> = map.keys().cloned().collect();
    for name in names {
        let Some((place, shape)) = fields.get(name.as_str()) else {
            found.unknown.push(path.field(&name, fields.len()).indexed);
            map.remove(&name);
            continue;
        };
        let inner = path.field(&name, *place);
        let Some(value) = map.get_mut(&name) else {
            continue;
        };
        if !value.is_null() {
            decode_field(kind, *shape, value, inner, found);
        }
        if is_zero(*shape, value) {
            map.remove(&name);
        }
    }
}

fn decode_field(owner: &str, shape: Shape, value: &mut Value, mut path: Path, found: &mut Decoded) {
    match (shape, value) {
        (Shape::Object(kind), Value::Object(map)) => decode_object(kind, map, &mut path, found),
        (Shape::List { item, .. }, Value::Array(items)) => {
            for (index, value) in items.iter_mut().enumerate() {
                if value.is_null() && item.is_some() {
                    *value = Value::Object(Map::new());
                }
                match (item, value) {
                    (Some(kind), Value::Object(map)) => {
                        decode_object(kind, map, &mut path.item(index), found);
                    }
                    (Some(kind), value) => {
                        mismatch(owner, Shape::Object(kind), value, &path, found);
                    }
                    (None, _) => {}
                }
            }
        }
        (Shape::TextMap, Value::Object(map)) => {
            let empty = map.values_mut().filter(|value| value.is_null());
            empty.for_each(|value| *value = "".into());
            let wrong = map
                .values_mut()
                .find(|value| !value.is_string() && !value.is_null());
            if let Some(wrong) = wrong {
                mismatch(owner, Shape::Text { pointer: false }, wrong, &path, found);
            }
        }
        (Shape::TextList { .. }, Value::Array(items)) => {
            if let Some(wrong) = items.iter().find(|item| !item.is_string()) {
                mismatch(owner, Shape::Text { pointer: false }, wrong, &path, found);
            }
        }
        (Shape::Any, _) | (Shape::AnyMap, Value::Object(_)) => {}
        (Shape::Text { .. }, Value::String(_)) | (Shape::Boolean { .. }, Value::Bool(_)) => {}
        (Shape::Integer { long, .. }, Value::Number(number)) if fits(number, long) => {}
        (shape, value) => mismatch(owner, shape, value, &path, found),
    }
}

fn fits(number: &Number, long: bool) -> bool {
    let value = number.as_i64();
    value.is_some_and(|value| long || i32::try_from(value).is_ok())
}

fn mismatch(owner: &str, shape: Shape, value: &Value, path: &Path, found: &mut Decoded) {
    let wanted = go_type(shape);
    let got = match (shape, value) {
        (Shape::Integer { .. }, Value::Number(number)) => format!("number {number}"),
        (_, value) => go_kind(value).to_owned(),
    };
    let kind = unstructured_kind(value);
    let new = Mismatch {
        places: path.places.clone(),
        decoder: format!(
            "json: cannot unmarshal {got} into Go struct field {owner}.{} of type {wanted}",
            path.plain
        ),
        converter: match shape {
            Shape::Object(_) => format!("cannot restore struct from: {kind}"),
            Shape::List { .. } | Shape::TextList { .. } => {
                format!("cannot restore slice from {kind}")
            }
            Shape::TextMap | Shape::AnyMap => format!("cannot restore map from {kind}"),
            Shape::Text { .. } | Shape::Integer { .. } | Shape::Boolean { .. } | Shape::Any => {
                // Go can make a text of a whole number, and a whole number of a fraction.
                match (kind, wanted.as_str()) {
                    ("int64", "string") | ("float64", "int32" | "int64") => {
                        format!("cannot convert {kind} to {wanted}")
                    }
                    _ => format!("unrecognized type: {wanted}"),
                }
            }
        },
    };
    match &mut found.mismatch {
        None => found.mismatch = Some(new),
        Some(first) if new.places < first.places => {
            first.converter = new.converter;
            first.places = new.places;
        }
        Some(_) => {}
    }
}

/// What Go's decoder calls a value.
pub(super) fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The Go type of a value that was decoded without one.
pub(super) fn unstructured_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

fn go_type(shape: Shape) -> String {
    match shape {
        Shape::Text { .. } => "string".to_owned(),
        Shape::Integer { long: false, .. } => "int32".to_owned(),
        Shape::Integer { long: true, .. } => "int64".to_owned(),
        Shape::Boolean { .. } => "bool".to_owned(),
        Shape::TextMap => "map[string]string".to_owned(),
        Shape::AnyMap => "map[string]interface {}".to_owned(),
        Shape::TextList { .. } => "[]string".to_owned(),
        Shape::List { item, .. } => item.map_or_else(
            || "[]interface {}".to_owned(),
            |item| format!("[]v1.{item}"),
        ),
        Shape::Object(kind) => format!("v1.{kind}"),
        Shape::Any => "interface {}".to_owned(),
    }
}

/// What Go's `omitempty` leaves out of the JSON.
fn is_zero(shape: Shape, value: &Value) -> bool {
    match (shape, value) {
        (_, Value::Null) => true,
        (Shape::Text { pointer: false }, Value::String(text)) => text.is_empty(),
        (Shape::Integer { pointer: false, .. }, Value::Number(number)) => {
            number.as_i64() == Some(0)
        }
        (Shape::Boolean { pointer: false }, Value::Bool(flag)) => !flag,
        (Shape::List { .. } | Shape::TextList { .. }, Value::Array(items)) => items.is_empty(),
        (Shape::TextMap | Shape::AnyMap, Value::Object(map)) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
