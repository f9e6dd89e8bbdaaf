use crate::request::File;
use crate::request::release::tests::{complete, files, release};
use insta::assert_snapshot;
use serde_json::{Value, json};

/// Objects of many kinds: `Kind container=image …`.
fn objects(all: &[&str]) -> String {
    let object = |text: &&str| {
        let mut words = text.split(' ');
        let kind = words.next().unwrap();
        let containers = words.map(|word| {
            let (name, image) = word.split_once('=').unwrap();
            json!({"name": name, "image": image})
        });
        let pod = json!({"containers": containers.collect::<Vec<_>>()});
        let template = json!({"spec": pod});
        let (version, spec) = match kind {
            "Pod" => ("v1", pod),
            "CronJob" => (
                "batch/v1",
                json!({"jobTemplate": {"spec": {"template": template}}}),
            ),
            "Job" => ("batch/v1", json!({"template": template})),
            "Rollout" => ("argoproj.io/v1alpha1", json!({"template": template})),
            _ => ("apps/v1", json!({"template": template})),
        };
        let name = kind.to_lowercase();
        format!(
            "---\n{}\n",
            json!({"apiVersion": version, "kind": kind,
            "metadata": {"name": name}, "spec": spec})
        )
    };
    all.iter().map(object).collect()
}

/// The images after the replacement, in the order of the objects.
fn replaced(images: &Value, text: &str) -> Result<Vec<String>, Vec<String>> {
    let read = release(&json!({"images": images}), &[("k8s/a.yaml", text)])?;
    let mut found = Vec::new();
    for manifest in &read.manifests {
        let object = manifest.object();
        let pod = [
            "/spec/template/spec",
            "/spec/jobTemplate/spec/template/spec",
            "/spec",
        ];
        let pod = pod.iter().filter_map(|path| object.pointer(path));
        let pod = pod
            .into_iter()
            .find(|pod| pod["containers"].is_array())
            .unwrap();
        for list in ["containers", "initContainers", "volumes"] {
            for item in pod[list].as_array().into_iter().flatten() {
                let image = item["image"]["reference"]
                    .as_str()
                    .or(item["image"].as_str());
                found.push(image.unwrap_or("none").to_owned());
            }
        }
    }
    Ok(found)
}

#[test]
fn images_are_replaced_by_container_or_by_name() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let by_digest = format!("reg.example.com:5000/web@{digest}");
    let many = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "Pod",
        "Rollout",
    ];
    let everywhere = many.map(|kind| format!("{kind} {}=reg/web:1", kind.to_lowercase()));
    for (images, objects_, expected) in [
        (
            json!({"app": "reg/web:2"}),
            vec!["Deployment app=reg/web:1 log=reg/log:1"],
            vec!["reg/web:2", "reg/log:1"],
        ),
        (
            json!({"app": "other/web:2"}),
            vec!["Deployment app=reg/web:1", "Job app=reg/web:1"],
            vec!["other/web:2", "other/web:2"],
        ),
        (
            json!({"app": "reg/web"}),
            vec!["Deployment app=reg/web:1"],
            vec!["reg/web"],
        ),
        (
            json!({"app": ":2"}),
            vec!["Deployment app=reg/web:1"],
            vec!["reg/web:2"],
        ),
        (
            json!({"app": "web:2"}),
            vec!["Deployment app=placeholder"],
            vec!["web:2"],
        ),
        (
            json!({"reg/web": "reg/web:2"}),
            everywhere.iter().map(String::as_str).collect(),
            vec!["reg/web:2"; 8],
        ),
        (
            json!({"reg/web": ":2"}),
            vec!["Deployment a=reg/web:1 b=reg/web2:1 c=reg/web"],
            vec!["reg/web:2", "reg/web2:1", "reg/web:2"],
        ),
        // As kustomize: a tag drops a digest, a digest a tag, a name keeps both.
        (
            json!({"reg.example.com:5000/web": ":2"}),
            vec![&*format!(
                "Deployment a={by_digest} b=reg.example.com:5000/web"
            )],
            vec!["reg.example.com:5000/web:2", "reg.example.com:5000/web:2"],
        ),
        (
            json!({"reg.example.com:5000/web": format!("@{digest}")}),
            vec!["Deployment a=reg.example.com:5000/web:1"],
            vec![&*by_digest],
        ),
        (
            json!({"web": format!(":3@{digest}")}),
            vec!["Deployment a=web:1"],
            vec![&*format!("web:3@{digest}")],
        ),
        (
            json!({"web": "mirror/web"}),
            vec![&*format!("Deployment a=web:1@{digest} b=web")],
            vec![&*format!("mirror/web:1@{digest}"), "mirror/web"],
        ),
        (
            json!({"web": "mirror/web:9"}),
            vec![&*format!("Deployment a=web:1@{digest}")],
            vec!["mirror/web:9"],
        ),
        // The name is a text and not a pattern, and `nginx` is not `docker.io/library/nginx`.
        (
            json!({"a.b/web": ":2", "axb/web": ":3"}),
            vec!["Deployment a=a.b/web:1 b=axb/web:1"],
            vec!["a.b/web:2", "axb/web:3"],
        ),
        (
            json!({"nginx": ":2"}),
            vec!["Deployment a=nginx b=docker.io/library/nginx:1"],
            vec!["nginx:2", "docker.io/library/nginx:1"],
        ),
        // A container of the image's own name.
        (
            json!({"web": "web:2"}),
            vec!["Deployment web=web:1", "Job migrate=web:1"],
            vec!["web:2", "web:2"],
        ),
        (
            json!({"app": "web:2", "web": ":2"}),
            vec!["Deployment app=web:1"],
            vec!["web:2"],
        ),
    ] {
        let found = replaced(&images, &objects(&objects_));
        assert_eq!(found.unwrap(), expected, "{images}");
    }
}

#[test]
fn init_containers_and_image_volumes_have_images_too() {
    let text = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
        "spec": {"template": {"spec": {"containers": [{"name": "a"}], "initContainers":
            [{"name": "b", "image": "web:1"}], "volumes": [{"name": "a"}, {"name": "v",
                "image": {"reference": "web:1"}}], "ephemeralContainers": [{"image": "web:1"}]}}}});
    let text = text.to_string();
    let found = replaced(&json!({"web": ":2", "a": "new:1"}), &text).unwrap();
    assert_eq!(found, ["new:1", "web:2", "none", "web:2"]);
    let found = replaced(&json!({"b": "x:1"}), &text).unwrap();
    assert_eq!(found, ["none", "x:1", "none", "web:1"]);
}

#[test]
fn an_entry_that_fits_nothing_or_too_much_is_refused() {
    let two = [
        "Deployment app=reg/web:1",
        "StatefulSet app=reg/api:1 db=postgres:17",
    ];
    let faults = [
        (json!({"web": "web:2"}), &two[..]),
        (json!({"app": "reg/web:2"}), &two[..]),
        (json!({"reg/web:1": "reg/web:2"}), &two[..]),
        (json!({"Reg web": "reg/web:2"}), &two[..]),
        (json!({"db": "postgres:18", "postgres": ":19"}), &two[..]),
        (json!({"db": ":"}), &two[..]),
        (json!({"db": "@sha256:1"}), &two[..]),
        (json!({"db": "a b"}), &two[..]),
        (json!({"db": 7}), &two[..]),
        (
            json!({"app": "web:2"}),
            &["Deployment app=reg/web:1", "Job b=app:1"],
        ),
    ];
    let mut told = Vec::new();
    for (images, all) in faults {
        told.extend(replaced(&images, &objects(all)).unwrap_err());
    }
    told.extend(
        replaced(
            &json!({"a": "b"}),
            "apiVersion: v1\nkind: A\nmetadata: {name: a}",
        )
        .unwrap_err(),
    );
    assert_snapshot!(told.join("\n"), @r"
    images.web: matches no container and no image: there are `postgres:17` of StatefulSet/statefulset, `reg/api:1` of StatefulSet/statefulset and `reg/web:1` of Deployment/deployment
    images.app: matches different images, `reg/api:1` of StatefulSet/statefulset and `reg/web:1` of Deployment/deployment: name each image, without its tag, in place of the container
    images.reg/web:1: has a tag or a digest, and an entry names an image without them: write `reg/web`
    images.Reg web: is neither the name of a container nor that of an image: the parts of its name must be of lower-case letters and digits, with single `.`, `_` or `-` between them
    images.postgres: replaces `postgres:17` of StatefulSet/statefulset, which another entry replaces, too, by another image
    images.db: is `db:`, which is not a valid image: its tag is empty: nothing follows `db:`
    images.db: is `db@sha256:1`, which is not a valid image: its digest has 1 digits, and one of sha256 has 64: it was cut
    images.db: is `a b`, which is not a valid image: it has a blank after `a`
    images.db: must be an image in quotes, and is a number
    images.app: matches different images, `app:1` of Job/job and `reg/web:1` of Deployment/deployment: name each image, without its tag, in place of the container
    images.a: matches no container and no image: no object of the manifests has an image
    ");
}

#[test]
fn files_of_images_are_read_for_a_release() {
    let digest = format!("sha256:{}", "b".repeat(64));
    let detail = json!({"ImageURI": format!("reg/web@{digest}")}).to_string();
    let list = json!([{"name": "app", "imageUri": "reg/web:2"}, {"name": "reg/log",
        "imageUri": "reg/log:3"}])
    .to_string();
    let both = "Deployment app=reg/web:1 log=reg/log:1";
    for (images, all, expected) in [
        (&list, vec![both], Ok(vec!["reg/web:2", "reg/log:3"])),
        (
            &list,
            vec!["Deployment app=reg/web:1"],
            Err("images.reg/log: matches no container"),
        ),
        (
            &detail,
            vec![both],
            Ok(vec![&*format!("reg/web@{digest}"), "reg/log:1"]),
        ),
        (
            &detail,
            vec!["Deployment app=placeholder"],
            Ok(vec![&*format!("reg/web@{digest}")]),
        ),
        (
            &detail,
            vec!["Deployment app=a:1 log=reg/log:1"],
            Err("no image is called `reg/web`"),
        ),
        (&"[]".to_owned(), vec![both], Err("names no image")),
    ] {
        let mut all = files(&[("k8s/a.yaml", &objects(&all))]);
        all.images = Some(File {
            content: images.as_bytes().to_vec(),
            ..File::default()
        });
        let read = complete(&json!({"images": "Build::images.json"}), all);
        match expected {
            Ok(images) => {
                let text = read.unwrap().manifests[0].text().to_owned();
                assert!(
                    images
                        .iter()
                        .all(|image| text.contains(&format!("\"{image}\""))),
                    "{text}"
                );
            }
            Err(words) => {
                let faults = read.unwrap_err().join("\n");
                assert!(faults.contains(words), "{faults}");
            }
        }
    }
}

#[test]
fn images_that_stay_are_checked_where_they_are() {
    for (image, words) in [
        ("'Reg/Web:1'", "lower-case"),
        ("'web:${TAG}'", "${TAG}"),
        ("'#{Build.Image}'", "never in files"),
        ("'web:{{ .Values.tag }}'", "Helm"),
    ] {
        let text = format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: a}}\nspec: \
            {{template: {{spec: {{containers: [{{name: app, image: {image}}}]}}}}}}\n"
        );
        let faults = release(&json!({}), &[("k8s/a.yaml", &text)]).unwrap_err();
        let place = "k8s/a.yaml:1 DaemonSet/a .spec.template.spec.containers[app].image: ";
        assert!(
            faults.len() == 1 && faults[0].starts_with(place),
            "{faults:?}"
        );
        assert!(faults[0].contains(words), "{faults:?}");
        let replaced = json!({"images": {"app": "web:1"}});
        assert!(release(&replaced, &[("k8s/a.yaml", &text)]).is_ok());
    }
}
