use super::*;
use serde_json::json;

#[test]
fn a_value_is_found_by_the_words_of_the_api_server() {
    let manifest = json!({"metadata": {"annotations": {"a": "x", "b": 1}}, "spec": {"template": {"spec": {
    "containers": [
        {"name": "app", "env": [{"name": "A", "value": "x"}, {"name": "B", "value": 8080}],
            "resizePolicy": [{"resourceName": 5}], "lifecycle": {"stopSignal": true}},
        {"name": "proxy", "env": [{"name": "C", "value": 1}], "command": {"a": 1}},
    ]}}}});
    let said = |found: &str, field: &str, kind: &str| {
        format!(
            "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal \
             {found} into Go struct field {field} of type {kind}"
        )
    };
    let spec = "manifest.spec.template.spec";
    for (found, field, kind, told) in [
        (
            "number",
            "EnvVar.spec.template.spec.containers.env.value",
            "string",
            format!(
                "It means `{spec}.containers[app].env[B].value`, `{spec}.containers[proxy].env[C].value`: put it in quotes."
            ),
        ),
        (
            "number 5",
            "ContainerResizePolicy.spec.template.spec.containers.resizePolicy.resourceName",
            "v1.ResourceName",
            format!("It means `{spec}.containers[app].resizePolicy[0].resourceName`."),
        ),
        (
            "number",
            "ObjectMeta.metadata.annotations",
            "string",
            "It means `manifest.metadata.annotations.b`: put it in quotes.".to_owned(),
        ),
        (
            "object",
            "Container.spec.template.spec.containers.command",
            "[]string",
            format!("It means `{spec}.containers[proxy].command`."),
        ),
    ] {
        assert_eq!(located(&said(found, field, kind), &manifest), Some(told));
    }
    for other in [
        &*said(
            "bool",
            "EnvVar.spec.template.spec.containers.env.value",
            "string",
        ),
        &*said("number", "X.spec.none.at.all", "string"),
        "spec.template.spec.containers[0].image: Required value",
        "json: cannot unmarshal number",
        "",
    ] {
        assert_eq!(located(other, &manifest), None, "{other}");
    }
}
