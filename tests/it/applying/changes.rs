//! Manifests, and what is put in place of texts in their next versions: fields that change, and
//! above all fields that leave.

/// The plural of the kind, the manifest, and the edits.
pub(super) type Change = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

pub(super) const CHANGES: &[Change] = &[
    (
        "deployments",
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {team: x, old: z}, annotations: {note: a}}
spec:
  replicas: 2
  minReadySeconds: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: app, image: 'app:1', env: [{name: A, value: '1'}, {name: B, value: '2'}],
         ports: [{containerPort: 80}, {containerPort: 81}]}
      - {name: side, image: 'side:1'}
",
        &[
            (", old: z", ""),
            (", annotations: {note: a}", ""),
            ("  minReadySeconds: 3\n", ""),
            ("app:1", "app:2"),
            (", {name: B, value: '2'}", ""),
            (", {containerPort: 81}", ""),
            ("      - {name: side, image: 'side:1'}\n", ""),
        ],
    ),
    (
        "statefulsets",
        "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {nodeSelector: {disk: ssd}, containers: [{name: db, image: 'db:1'}]}
",
        &[("nodeSelector: {disk: ssd}, ", ""), ("db:1", "db:2")],
    ),
    (
        "daemonsets",
        "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: 'agent:1', args: [a, b]}]}
",
        &[(", args: [a, b]", "")],
    ),
    (
        "services",
        "
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web, tier: x}
  ports: [{name: http, port: 80}, {name: admin, port: 81, protocol: UDP}]
",
        &[
            (", tier: x", ""),
            (", {name: admin, port: 81, protocol: UDP}", ""),
        ],
    ),
    (
        "configmaps",
        "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: '1', b: '2'}
",
        &[(", b: '2'", ", c: '3'")],
    ),
    (
        "secrets",
        "
apiVersion: v1
kind: Secret
metadata: {name: keys}
data: {a: MQ==, b: Mg==}
",
        &[(", b: Mg==", ", c: Mw==")],
    ),
    (
        "persistentvolumeclaims",
        "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim, labels: {a: b}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
",
        &[(", labels: {a: b}", "")],
    ),
    (
        "cronjobs",
        "
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: '0 3 * * *'
  startingDeadlineSeconds: 60
  jobTemplate:
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}}
",
        &[("  startingDeadlineSeconds: 60\n", ""), ("a:1", "a:2")],
    ),
    (
        "ingresses",
        "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: x
  rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix,
    backend: {service: {name: web, port: {number: 80}}}}]}}]
",
        &[("  ingressClassName: x\n", ""), ("a.example", "b.example")],
    ),
    (
        "poddisruptionbudgets",
        "
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, labels: {a: b, c: d}}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
",
        &[(", c: d", ""), ("minAvailable: 1", "minAvailable: 2")],
    ),
    (
        "horizontalpodautoscalers",
        "
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  maxReplicas: 5
  behavior: {scaleDown: {stabilizationWindowSeconds: 9}}
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nobody}
",
        &[(
            "  behavior: {scaleDown: {stabilizationWindowSeconds: 9}}\n",
            "",
        )],
    ),
    (
        "roles",
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: 'web:reader'}
rules: [{apiGroups: [''], resources: [pods, services], verbs: [get]}]
",
        &[(", services", "")],
    ),
    (
        "serviceaccounts",
        "
apiVersion: v1
kind: ServiceAccount
metadata: {name: bot}
automountServiceAccountToken: false
",
        &[("automountServiceAccountToken: false\n", "")],
    ),
];
