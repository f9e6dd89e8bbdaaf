//! The fields of each type.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One type a line: `Type field:shape …`.
/// Shapes: `s` string, `i` integer, `l` long integer, `b` boolean (dropped when zero, as Go's
/// `omitempty` does), with `!` a pointer (kept when zero), `q` a quantity or int-or-string,
/// `*` anything, `{s}` a map, `[T]` a list that a patch replaces, `[T]@key` a list that it merges
/// by key, `[s]+` a merged set. The fields stand in the order of the Go type.
pub(crate) const TABLE: &str = "\
Deployment apiVersion:s kind:s metadata:ObjectMeta spec:DeploymentSpec status:*
ReplicaSet apiVersion:s kind:s metadata:ObjectMeta spec:ReplicaSetSpec status:*
StatefulSet apiVersion:s kind:s metadata:ObjectMeta spec:StatefulSetSpec status:*
DaemonSet apiVersion:s kind:s metadata:ObjectMeta spec:DaemonSetSpec status:*
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
StatefulSetSpec replicas:i! selector:LabelSelector template:PodTemplateSpec \
 volumeClaimTemplates:[*] serviceName:s podManagementPolicy:s \
 updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit:i! minReadySeconds:i \
 persistentVolumeClaimRetentionPolicy:* ordinals:*
StatefulSetUpdateStrategy type:s rollingUpdate:RollingUpdateStatefulSetStrategy
RollingUpdateStatefulSetStrategy partition:i! maxUnavailable:q
DaemonSetSpec selector:LabelSelector template:PodTemplateSpec \
 updateStrategy:DaemonSetUpdateStrategy minReadySeconds:i revisionHistoryLimit:i!
DaemonSetUpdateStrategy type:s rollingUpdate:RollingUpdateDaemonSet
RollingUpdateDaemonSet maxUnavailable:q maxSurge:q
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
/// The fields of each type, with their positions.
pub(crate) static TYPES: LazyLock<BTreeMap<&'static str, Fields>> =
    LazyLock::new(|| TABLE.lines().filter_map(row).collect());

pub(crate) type Fields = BTreeMap<&'static str, (usize, Shape)>;

pub(crate) fn row(line: &'static str) -> Option<(&'static str, Fields)> {
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

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text {
        pointer: bool,
    },
    Integer {
        pointer: bool,
        /// Whether the integer has 64 bits instead of 32.
        long: bool,
    },
    Boolean {
        pointer: bool,
    },
    Any,
    TextMap,
    AnyMap,
    /// A list of primitive values; `merged` ones merge as a set.
    TextList {
        merged: bool,
    },
    /// A list of objects; with a key, a strategic merge patch merges it.
    List {
        item: Option<&'static str>,
        key: Option<&'static str>,
    },
    Object(&'static str),
}

impl Shape {
    /// The type of the object in the field.
    pub(crate) fn object(self) -> Option<&'static str> {
        if let Shape::Object(kind) = self {
            Some(kind)
        } else {
            None
        }
    }

    /// The key by which a patch merges two lists.
    pub(crate) fn key(self) -> Option<&'static str> {
        if let Shape::List { key, .. } = self {
            key
        } else {
            None
        }
    }

    pub(crate) fn parse(text: &'static str) -> Shape {
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

/// The shape of a type's field; unknown fields accept anything.
pub(crate) fn shape(of: Option<&str>, field: &str) -> Shape {
    let fields = of.and_then(|name| TYPES.get(name));
    fields
        .and_then(|fields| fields.get(field))
        .map_or(Shape::Any, |(_, shape)| *shape)
}

/// Whether the table contains this kind; objects of other kinds are stored unchanged.
pub(crate) fn knows(kind: &str) -> bool {
    TYPES.contains_key(kind)
}

/// The Go type of a value that was decoded without a type.
pub(crate) fn unstructured_kind(value: &Value) -> &'static str {
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
