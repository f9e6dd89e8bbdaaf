use super::*;

fn id(group: &str, kind: &str, name: &str) -> ObjectId {
    let (group, kind, name) = (group.into(), kind.into(), name.into());
    ObjectId {
        group,
        kind,
        namespace: None,
        name,
    }
}

/// One line a step: wave, rank, names.
fn shown(steps: &[Step], objects: &[(ObjectId, i32)]) -> String {
    let line = |step: &Step| {
        let names = step.members.iter().map(|at| objects[*at].0.to_string());
        let names = names.collect::<Vec<_>>().join(" ");
        format!("{} {:?}: {names}\n", step.wave, step.rank)
    };
    steps.iter().map(line).collect()
}

fn ordered(objects: &[(ObjectId, i32)]) -> Vec<Step> {
    let objects = objects.iter().map(|(id, wave)| (id, *wave));
    order(&objects.collect::<Vec<_>>())
}

const RBAC: &str = "rbac.authorization.k8s.io";
const CRDS: &str = "apiextensions.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

#[test]
fn objects_come_after_what_they_need() {
    // In the opposite order, so that nothing is in place by chance.
    let objects = [
        (id(ADMISSION, "ValidatingWebhookConfiguration", "check"), 0),
        (id(ADMISSION, "MutatingWebhookConfiguration", "inject"), 0),
        (id("apiregistration.k8s.io", "APIService", "v1.metrics"), 0),
        (id("cert-manager.io", "Issuer", "letsencrypt"), 0),
        (id("gateway.networking.k8s.io", "HTTPRoute", "web"), 0),
        (id("networking.k8s.io", "Ingress", "web"), 0),
        (id("keda.sh", "ScaledObject", "web"), 0),
        (id("autoscaling", "HorizontalPodAutoscaler", "web"), 0),
        (id("batch", "CronJob", "nightly"), 0),
        (id("", "Pod", "debug"), 0),
        (id("apps", "Deployment", "web"), 0),
        (id("apps", "StatefulSet", "db"), 0),
        (id("batch", "Job", "migrate"), 0),
        (id("", "Service", "web"), 0),
        (id("external-secrets.io", "ExternalSecret", "db"), 0),
        (id("", "PersistentVolumeClaim", "data"), 0),
        (id("coordination.k8s.io", "Lease", "leader"), 0),
        (id("", "Secret", "db"), 0),
        (id("", "ConfigMap", "web"), 0),
        (id(RBAC, "RoleBinding", "web"), 0),
        (id(RBAC, "Role", "web"), 0),
        (id("", "ServiceAccount", "web"), 0),
        (id("policy", "PodDisruptionBudget", "web"), 0),
        (id("networking.k8s.io", "NetworkPolicy", "web"), 0),
        (id("scheduling.k8s.io", "PriorityClass", "high"), 0),
        (id("gateway.networking.k8s.io", "GatewayClass", "nginx"), 0),
        (id("storage.k8s.io", "CSIDriver", "ebs"), 0),
        (id("networking.k8s.io", "IngressClass", "nginx"), 0),
        (
            id(CRDS, "CustomResourceDefinition", "issuers.cert-manager.io"),
            0,
        ),
        (id("", "Namespace", "shop"), 0),
    ];
    insta::assert_snapshot!(shown(&ordered(&objects), &objects), @r"
    0 Namespace: Namespace/shop
    0 Definition: CustomResourceDefinition/issuers.cert-manager.io
    0 Class: PriorityClass/high GatewayClass/nginx CSIDriver/ebs IngressClass/nginx
    0 Limit: PodDisruptionBudget/web NetworkPolicy/web
    0 Role: Role/web ServiceAccount/web
    0 Binding: RoleBinding/web
    0 Configuration: Lease/leader Secret/db ConfigMap/web
    0 Storage: PersistentVolumeClaim/data
    0 Custom: ExternalSecret/db
    0 Service: Service/web
    0 Job: Job/migrate
    0 Workload: CronJob/nightly Pod/debug Deployment/web StatefulSet/db
    0 Autoscaler: ScaledObject/web HorizontalPodAutoscaler/web
    0 Route: HTTPRoute/web Ingress/web
    0 OwnCustom: Issuer/letsencrypt
    0 ApiService: APIService/v1.metrics
    0 Admission: ValidatingWebhookConfiguration/check MutatingWebhookConfiguration/inject
    ");
}

#[test]
fn a_wave_is_done_before_the_next_one_begins() {
    let objects = [
        (id("apps", "Deployment", "web"), 0),
        (id("", "ConfigMap", "late"), 1),
        (id("apps", "StatefulSet", "db"), -1),
        (id("", "ConfigMap", "web"), 0),
        (id(ADMISSION, "MutatingWebhookConfiguration", "inject"), -1),
    ];
    insta::assert_snapshot!(shown(&ordered(&objects), &objects), @r"
    -1 Workload: StatefulSet/db
    -1 Admission: MutatingWebhookConfiguration/inject
    0 Configuration: ConfigMap/web
    0 Workload: Deployment/web
    1 Configuration: ConfigMap/late
    ");
}

#[test]
fn deletion_goes_the_other_way_and_custom_resources_go_while_their_controller_runs() {
    let objects = [
        (
            id(CRDS, "CustomResourceDefinition", "issuers.cert-manager.io"),
            0,
        ),
        (id("", "ConfigMap", "web"), 0),
        (id("apps", "Deployment", "cert-manager"), 0),
        (id("cert-manager.io", "Issuer", "letsencrypt"), 0),
        (
            id(ADMISSION, "ValidatingWebhookConfiguration", "cert-manager"),
            0,
        ),
        (id("", "ConfigMap", "early"), -1),
    ];
    let places = objects.iter().map(|(id, wave)| (id, *wave));
    let places = places.collect::<Vec<_>>();
    let own = own_groups(places.iter().map(|(id, _)| *id));
    let steps = reversed_among(&places, &own);
    insta::assert_snapshot!(shown(&steps, &objects), @r"
    0 Admission: ValidatingWebhookConfiguration/cert-manager
    0 OwnCustom: Issuer/letsencrypt
    0 Workload: Deployment/cert-manager
    0 Configuration: ConfigMap/web
    0 Definition: CustomResourceDefinition/issuers.cert-manager.io
    -1 Configuration: ConfigMap/early
    ");
    let awaited = steps.iter().filter(|step| waits_for_removal(step.rank));
    assert_eq!(
        awaited.map(|step| step.rank).collect::<Vec<_>>(),
        [Rank::OwnCustom]
    );
}

#[test]
fn a_kind_of_the_same_name_in_another_group_is_another_kind() {
    for (group, kind, rank) in [
        ("serving.knative.dev", "Service", Rank::Workload),
        ("example.com", "Namespace", Rank::Custom),
        ("example.com", "Job", Rank::Custom),
        ("example.com", "BackupClass", Rank::Class),
        ("storage.k8s.io", "CSIStorageCapacity", Rank::Class),
        ("metrics.k8s.io", "Thing", Rank::Custom),
        ("", "Event", Rank::Configuration),
    ] {
        let objects = [(id(group, kind, "x"), 0)];
        assert_eq!(ordered(&objects)[0].rank, rank, "{group} {kind}");
    }
}

#[test]
fn only_what_others_cannot_do_without_is_waited_for() {
    use Rank::*;
    let waiting = [
        Namespace,
        Definition,
        Class,
        Limit,
        Role,
        Binding,
        Configuration,
        Storage,
        Custom,
        Service,
        Job,
        Workload,
        Autoscaler,
        Route,
        OwnCustom,
        ApiService,
        Admission,
    ];
    let waiting = waiting.into_iter().filter(|rank| waits(*rank));
    let expected = [Namespace, Definition, Job, ApiService];
    assert_eq!(waiting.collect::<Vec<_>>(), expected);
    assert_eq!(order(&[]), []);
}
