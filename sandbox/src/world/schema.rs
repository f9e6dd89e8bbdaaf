//! The fields that the API server knows, as a table: what strict decoding refuses, what pruning
//! drops, and by which key a strategic merge patch joins two lists.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One type a line: `Type field:shape …`.
/// Shapes: `s` string, `i` integer, `b` boolean (dropped when zero, as Go's `omitempty` does), with
/// `!` a pointer (kept when zero), `q` a quantity or int-or-string, `*` anything, `{s}` a map,
/// `[T]` a list that a patch replaces, `[T]@key` a list that it merges by key, `[s]+` a merged set.
const TABLE: &str = "\
Deployment apiVersion:s kind:s metadata:ObjectMeta spec:DeploymentSpec status:*
ReplicaSet apiVersion:s kind:s metadata:ObjectMeta spec:ReplicaSetSpec status:*
Pod apiVersion:s kind:s metadata:ObjectMeta spec:PodSpec status:*
Service apiVersion:s kind:s metadata:ObjectMeta spec:ServiceSpec status:*
Scale apiVersion:s kind:s metadata:ObjectMeta spec:ScaleSpec status:*
ScaleSpec replicas:i
ObjectMeta name:s generateName:s namespace:s selfLink:s uid:s resourceVersion:s generation:i \
 creationTimestamp:s deletionTimestamp:s deletionGracePeriodSeconds:i! labels:{s} annotations:{s} \
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
 ephemeralContainers:[*]@name restartPolicy:s terminationGracePeriodSeconds:i! \
 activeDeadlineSeconds:i! dnsPolicy:s nodeSelector:{s} serviceAccountName:s serviceAccount:s \
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
 successThreshold:i failureThreshold:i terminationGracePeriodSeconds:i!
ServiceSpec ports:[ServicePort]@port selector:{s} clusterIP:s clusterIPs:[s] type:s \
 externalIPs:[s] sessionAffinity:s loadBalancerIP:s loadBalancerSourceRanges:[s] externalName:s \
 externalTrafficPolicy:s healthCheckNodePort:i publishNotReadyAddresses:b \
 sessionAffinityConfig:* ipFamilies:[s] ipFamilyPolicy:s! allocateLoadBalancerNodePorts:b! \
 loadBalancerClass:s! internalTrafficPolicy:s! trafficDistribution:s!
ServicePort name:s protocol:s appProtocol:s! port:i targetPort:q nodePort:i";

static TYPES: LazyLock<BTreeMap<&'static str, BTreeMap<&'static str, Shape>>> =
    LazyLock::new(|| TABLE.lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<(&'static str, BTreeMap<&'static str, Shape>)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let fields = words.filter_map(|word| word.split_once(':'));
    Some((
        name,
        fields
            .map(|(field, shape)| (field, Shape::parse(shape)))
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

    fn parse(text: &'static str) -> Shape {
        match text {
            "s" | "s!" => Shape::Text {
                pointer: text.ends_with('!'),
            },
            "i" | "i!" => Shape::Integer {
                pointer: text.ends_with('!'),
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
        .copied()
        .unwrap_or(Shape::Any)
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
    /// The first value of a wrong type, in the words of Go's decoder.
    pub(super) mismatch: Option<String>,
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
}

impl Path {
    fn field(&self, name: &str) -> Path {
        let join = |base: &str| match base {
            "" => name.to_owned(),
            base => format!("{base}.{name}"),
        };
        Path {
            indexed: join(&self.indexed),
            plain: join(&self.plain),
        }
    }

    fn item(&self, index: usize) -> Path {
        Path {
            indexed: format!("{}[{index}]", self.indexed),
            plain: self.plain.clone(),
        }
    }
}

fn decode_object(kind: &str, map: &mut Map<String, Value>, path: &mut Path, found: &mut Decoded) {
    let Some(fields) = TYPES.get(kind) else {
        return;
    };
    let names: Vec<String> = map.keys().cloned().collect();
    for name in names {
        let inner = path.field(&name);
        let Some(shape) = fields.get(name.as_str()) else {
            found.unknown.push(inner.indexed);
            map.remove(&name);
            continue;
        };
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
                if let (Some(kind), Value::Object(map)) = (item, value) {
                    decode_object(kind, map, &mut path.item(index), found);
                }
            }
        }
        (Shape::TextMap, Value::Object(map)) => {
            let wrong = map
                .values_mut()
                .find(|value| !value.is_string() && !value.is_null());
            if let Some(wrong) = wrong {
                mismatch(owner, "string", wrong, &path, found);
            }
        }
        (Shape::TextList { .. }, Value::Array(items)) => {
            if let Some(wrong) = items.iter().find(|item| !item.is_string()) {
                mismatch(owner, "string", wrong, &path, found);
            }
        }
        (Shape::Any, _) | (Shape::AnyMap, Value::Object(_)) => {}
        (Shape::Text { .. }, Value::String(_)) | (Shape::Boolean { .. }, Value::Bool(_)) => {}
        (Shape::Integer { .. }, Value::Number(number)) if number.is_i64() => {}
        (shape, value) => mismatch(owner, go_type(shape), value, &path, found),
    }
}

fn mismatch(owner: &str, wanted: &str, value: &Value, path: &Path, found: &mut Decoded) {
    let got = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    found.mismatch.get_or_insert(format!(
        "json: cannot unmarshal {got} into Go struct field {owner}.{} of type {wanted}",
        path.plain
    ));
}

fn go_type(shape: Shape) -> &'static str {
    match shape {
        Shape::Text { .. } => "string",
        Shape::Integer { .. } => "int32",
        Shape::Boolean { .. } => "bool",
        Shape::TextMap => "map[string]string",
        Shape::AnyMap => "map[string]interface {}",
        Shape::TextList { .. } => "[]string",
        Shape::List { item, .. } => item.map_or("[]interface {}", list_type),
        Shape::Object(kind) => object_type(kind),
        Shape::Any => "interface {}",
    }
}

fn list_type(item: &'static str) -> &'static str {
    match item {
        "Container" => "[]v1.Container",
        "EnvVar" => "[]v1.EnvVar",
        "Volume" => "[]v1.Volume",
        "ContainerPort" => "[]v1.ContainerPort",
        "VolumeMount" => "[]v1.VolumeMount",
        "ServicePort" => "[]v1.ServicePort",
        other => other,
    }
}

fn object_type(kind: &'static str) -> &'static str {
    match kind {
        "PodSpec" => "v1.PodSpec",
        "PodTemplateSpec" => "v1.PodTemplateSpec",
        "DeploymentSpec" => "v1.DeploymentSpec",
        "ObjectMeta" => "v1.ObjectMeta",
        other => other,
    }
}

/// What Go's `omitempty` leaves out of the JSON.
fn is_zero(shape: Shape, value: &Value) -> bool {
    match (shape, value) {
        (_, Value::Null) => true,
        (Shape::Text { pointer: false }, Value::String(text)) => text.is_empty(),
        (Shape::Integer { pointer: false }, Value::Number(number)) => number.as_i64() == Some(0),
        (Shape::Boolean { pointer: false }, Value::Bool(flag)) => !flag,
        (Shape::List { .. } | Shape::TextList { .. }, Value::Array(items)) => items.is_empty(),
        (Shape::TextMap | Shape::AnyMap, Value::Object(map)) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_fields_are_named_with_their_index_and_dropped() {
        let mut object = json!({"kind": "Deployment", "spec": {"foo": 1, "template": {"spec":
            {"containers": [{"name": "a"}, {"name": "b", "imag": "x"}]}}}});
        let found = decode("Deployment", &mut object);
        assert_eq!(
            found.unknown,
            ["spec.foo", "spec.template.spec.containers[1].imag"]
        );
        assert!(object.pointer("/spec/foo").is_none());
    }

    #[test]
    fn a_number_as_an_environment_value_is_named_as_go_names_it() {
        let mut object = json!({"spec": {"template": {"spec":
            {"containers": [{"name": "a", "env": [{"name": "N", "value": 8}]}]}}}});
        assert_eq!(
            decode("Deployment", &mut object).mismatch.as_deref(),
            Some(
                "json: cannot unmarshal number into Go struct field \
                 EnvVar.spec.template.spec.containers.env.value of type string"
            )
        );
    }

    #[test]
    fn zero_values_go_and_pointers_stay() {
        let mut object = json!({"metadata": {"annotations": {}, "creationTimestamp": null},
            "spec": {"replicas": 0, "minReadySeconds": 0, "paused": false}});
        decode("Deployment", &mut object);
        assert_eq!(object, json!({"metadata": {}, "spec": {"replicas": 0}}));
    }

    #[test]
    fn every_type_that_the_table_names_is_in_the_table() {
        for (name, fields) in TYPES.iter() {
            for (field, shape) in fields {
                let named = match shape {
                    Shape::Object(kind) => Some(*kind),
                    Shape::List { item, .. } => *item,
                    Shape::Text { .. } | Shape::Integer { .. } | Shape::Boolean { .. } => None,
                    Shape::Any | Shape::TextMap | Shape::AnyMap | Shape::TextList { .. } => None,
                };
                assert!(named.is_none_or(knows), "{name}.{field}: {named:?}");
            }
        }
    }
}
