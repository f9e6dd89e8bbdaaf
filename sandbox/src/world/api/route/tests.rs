use super::*;

#[test]
fn paths_name_what_they_name() {
    let named = |path: &str| match route(path, &[]) {
        Route::Target(target) => format!(
            "{} {} {} {}",
            target.kind.plural,
            target.namespace.unwrap_or_default(),
            target.name.unwrap_or_default(),
            target.subresource.unwrap_or_default()
        ),
        other @ (Route::Version | Route::Healthy | Route::AccessReview) => format!("{other:?}"),
        other @ (Route::IdentityReview | Route::NoResource | Route::NoPath) => {
            format!("{other:?}")
        }
        other @ (Route::Discovery { .. } | Route::NoGroup) => format!("{other:?}"),
    };
    let rows = [
        (
            "/apis/apps/v1/namespaces/default/deployments/web?x=1",
            "deployments default web ",
        ),
        (
            "/apis/apps/v1/namespaces/a/deployments/web/scale",
            "deployments a web scale",
        ),
        ("/api/v1/pods", "pods   "),
        ("/api/v1/namespaces/a/pods/p/log", "pods a p log"),
        (
            "/api/v1/namespaces/a/services/s:80/proxy/up/and/running",
            "services a s:80 proxy",
        ),
        ("/api/v1/namespaces/a/pods/p/log/more", "NoResource"),
        ("/api/v1/namespaces/a", "namespaces  a "),
        ("/apis/apps/v1/deployments/web", "NoResource"),
        ("/apis/apps/v1beta1/namespaces/a/deployments", "NoResource"),
        ("/api/v1/namespaces/a/configmaps/c/scale", "NoResource"),
        (
            "/api/v1/namespaces/a/serviceaccounts/s/token",
            "serviceaccounts a s token",
        ),
        ("/api/v1/namespaces/a/pods/p/token", "NoResource"),
        (
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            "IdentityReview",
        ),
        ("/apis/example.com/v1/namespaces/a/widgets", "NoGroup"),
        (
            "/apis/apps/v1",
            r#"Discovery { group: "apps", version: "v1" }"#,
        ),
        ("/api/v1", r#"Discovery { group: "", version: "v1" }"#),
        ("/apis/apps/v1beta1", "NoResource"),
        ("/apis/example.com/v1", "NoGroup"),
        ("/version", "Version"),
        ("/index.html", "NoPath"),
    ];
    for (path, expected) in rows {
        assert_eq!(named(path), expected, "{path}");
    }
}

#[test]
fn queries_are_decoded() {
    let query = query("/x?labelSelector=app%3Dweb%2Ctier+in+(a)&watch=1&broken=%zz");
    assert_eq!(query["labelSelector"], "app=web,tier in (a)");
    assert_eq!(query["watch"], "1");
    assert_eq!(query["broken"], "%zz");
}
