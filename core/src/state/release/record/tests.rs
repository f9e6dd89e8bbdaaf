use super::*;
use crate::kubernetes::object_id::ObjectId;
use crate::state::release::{Before, Kept, Status};
use jiff::Timestamp;

fn heading() -> Heading {
    Heading {
        release: "shop".into(),
        namespace: "prod".into(),
        revision: 7,
        status: Status::Pending,
        execution: "e-1".into(),
        job: "j-1".into(),
        at: Timestamp::from_second(1_790_000_000).unwrap(),
        commit: Some("3a9f1c2".into()),
        committed: None,
        previous: Some(6),
        back_to: Some(4),
        returned_from: Some(6),
        failed_at: Timestamp::from_second(1_790_000_060).ok(),
        cause: None,
        way_back: None,
        version: None,
    }
}

fn object(kind: &str, name: &str) -> RecordedObject {
    RecordedObject {
        id: ObjectId {
            group: String::new(),
            kind: kind.into(),
            namespace: Some("prod".into()),
            name: name.into(),
        },
        api_version: "v1".into(),
        plural: format!("{}s", kind.to_lowercase()),
        wave: -1,
        stays: true,
        follow: false,
        left: false,
        had: 0,
        uid: Some("u-1".into()),
        manifest: Kept::whole(&json!({"kind": kind, "data": {"password": "aHVudGVyMg=="}})),
        before: Before::Live(r#"{"data": {"password": "b2xk"}}"#.into()),
    }
}

fn record() -> Record {
    let minimal = RecordedObject {
        uid: None,
        stays: false,
        follow: true,
        left: true,
        before: Before::Absent,
        ..object("ConfigMap", "web")
    };
    Record {
        heading: heading(),
        objects: vec![object("Secret", "db"), minimal],
    }
}

#[test]
fn a_record_comes_back_as_it_was() {
    let record = record();
    let secret = record.object().unwrap().0;
    assert_eq!(Record::read(&secret), Ok(record));
    let mut outside = secret.clone();
    outside["data"]["release"] = "…".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&outside).unwrap(), @r#"
    {
      "apiVersion": "v1",
      "data": {
        "release": "…"
      },
      "kind": "Secret",
      "metadata": {
        "annotations": {
          "landfall/at": "2026-09-21T14:13:20Z",
          "landfall/commit": "3a9f1c2",
          "landfall/execution": "e-1",
          "landfall/job": "j-1",
          "landfall/previous": "6",
          "landfall/returned-from": "6",
          "landfall/returned-to": "4",
          "landfall/rolled-back-at": "2026-09-21T14:14:20Z",
          "landfall/status": "pending"
        },
        "labels": {
          "landfall/release": "shop",
          "landfall/revision": "7"
        },
        "name": "landfall.shop.v7",
        "namespace": "prod"
      },
      "type": "landfall/release.v1"
    }
    "#);
}

#[test]
fn what_is_recorded_is_plain_json_that_gzip_unpacks() {
    let secret = record().object().unwrap().0;
    let packed = STANDARD.decode(secret["data"]["release"].as_str().unwrap());
    let content = gzip::unpack(&packed.unwrap(), CONTENT_LIMIT).unwrap();
    insta::assert_snapshot!(String::from_utf8(content).unwrap(), @r#"{"objects":[{"kind":"Secret","namespace":"prod","name":"db","api_version":"v1","plural":"secrets","wave":-1,"stays":true,"follow":false,"uid":"u-1","manifest":{"whole":"{\"data\":{\"password\":\"aHVudGVyMg==\"},\"kind\":\"Secret\"}"},"before":{"live":"{\"data\": {\"password\": \"b2xk\"}}"}},{"kind":"ConfigMap","namespace":"prod","name":"web","api_version":"v1","plural":"configmaps","wave":-1,"stays":false,"follow":true,"left":true,"manifest":{"whole":"{\"data\":{\"password\":\"aHVudGVyMg==\"},\"kind\":\"ConfigMap\"}"},"before":"absent"}]}"#);
}

#[test]
fn fields_that_an_older_version_did_not_write_have_their_usual_values() {
    let text = br#"{"objects": [{"kind": "Pod", "name": "x", "api_version": "v1",
        "plural": "pods", "manifest": "omitted", "of_a_later_version": 1}]}"#;
    let mut secret = record().object().unwrap().0;
    secret["data"]["release"] = STANDARD.encode(gzip::pack(text)).into();
    let read = Record::read(&secret).unwrap();
    let object = &read.objects[0];
    assert_eq!((object.wave, object.follow), (0, true));
    assert_eq!(
        (&object.manifest, &object.before),
        (&Kept::Omitted, &Before::Unknown)
    );
    assert!(!object.stays);
}

#[test]
fn damaged_records_are_faults_and_never_a_panic() {
    let whole = record().object().unwrap().0;
    let with = |pointer: &str, value: Value| {
        let mut secret = whole.clone();
        let (object, key) = pointer.rsplit_once(' ').unwrap();
        secret.pointer_mut(object).unwrap()[key] = value;
        Record::read(&secret).err()
    };
    let packed = |content: &[u8]| Value::String(STANDARD.encode(gzip::pack(content)));
    let deep = "[".repeat(100_000);
    for (pointer, value, fault) in [
        ("/metadata/labels landfall~1release", "other".into(), None),
        (
            "/metadata/labels landfall/release",
            "other".into(),
            Some(RecordFault::Heading),
        ),
        (
            "/metadata/labels landfall/revision",
            "8".into(),
            Some(RecordFault::Heading),
        ),
        (
            "/metadata/labels landfall/revision",
            "x".into(),
            Some(RecordFault::Heading),
        ),
        (
            "/metadata/annotations landfall/status",
            "odd".into(),
            Some(RecordFault::Heading),
        ),
        (
            "/metadata/annotations landfall/at",
            "today".into(),
            Some(RecordFault::Heading),
        ),
        (
            "/metadata/annotations landfall/job",
            Value::Null,
            Some(RecordFault::Heading),
        ),
        (" type", "Opaque".into(), Some(RecordFault::Damaged)),
        (
            " type",
            "landfall/release.v2".into(),
            Some(RecordFault::Damaged),
        ),
        (" data", Value::Null, Some(RecordFault::Damaged)),
        ("/data release", "%".into(), Some(RecordFault::Damaged)),
        ("/data release", "".into(), Some(RecordFault::Damaged)),
        ("/data release", packed(b"{}"), Some(RecordFault::Damaged)),
        ("/data release", packed(b"\xff"), Some(RecordFault::Damaged)),
        (
            "/data release",
            packed(deep.as_bytes()),
            Some(RecordFault::Damaged),
        ),
        (
            "/data release",
            packed(&vec![b' '; CONTENT_LIMIT + 1]),
            Some(RecordFault::TooLarge),
        ),
    ] {
        assert_eq!(with(pointer, value), fault, "{pointer}");
    }
    assert_eq!(Record::read(&Value::Null), Err(RecordFault::Heading));
}

#[test]
fn no_content_of_an_object_is_printed() {
    let printed = format!("{:?}", record());
    assert!(printed.contains("Secret") && printed.contains("db"));
    for secret in ["aHVudGVyMg==", "b2xk", "password"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn how_far_a_revision_came_is_written_without_its_content() {
    let secret = record().object().unwrap().0;
    let mut heading = heading();
    heading.status = Status::Failed;
    heading.cause = Some(format!("Job/migrate failed:\n{}", "x".repeat(5000)));
    assert_eq!(heading.patch()["metadata"].get("resourceVersion"), None);
    heading.version = Some("17".to_owned());
    let patch = heading.patch();
    assert_eq!(patch["metadata"]["resourceVersion"], "17");
    assert_eq!(patch.get("data"), None);
    let mut failed = secret;
    failed["metadata"]["annotations"] = patch["metadata"]["annotations"].clone();
    let read = Record::read(&failed).unwrap();
    assert_eq!(read.heading.status, Status::Failed);
    let cause = read.heading.cause.unwrap();
    assert!(cause.starts_with("Job/migrate failed: xxx"));
    assert_eq!(cause.len(), 1000);
    assert_eq!(read.objects, record().objects);
    // A cause that is over is removed.
    heading.cause = None;
    assert_eq!(
        heading.patch()["metadata"]["annotations"]["landfall/cause"],
        Value::Null
    );
}

#[test]
fn what_an_object_was_is_kept_unless_the_release_knows_it() {
    let live = |id: &str| {
        json!({
            "metadata": {"name": "web", "labels": {"applyset.kubernetes.io/part-of": id},
                "managedFields": [{}], "annotations": {"kept": "yes"}},
            "spec": {"replicas": 2},
            "status": {"replicas": 2},
        })
    };
    let bare = |id: &str| {
        json!({
            "metadata": {"name": "web", "labels": {"applyset.kubernetes.io/part-of": id},
                "annotations": {"kept": "yes"}},
            "spec": {"replicas": 2},
        })
    };
    assert_eq!(Before::of(None, "ours", true), Before::Absent);
    assert_eq!(
        Before::of(Some(&live("ours")), "ours", true),
        Before::InRelease
    );
    // It has our label from a release whose records are gone, or that kept it.
    let left = Before::of(Some(&live("ours")), "ours", false);
    assert_eq!(left.object(), Some(bare("ours")));
    let theirs = Before::of(Some(&live("theirs")), "ours", true);
    assert_eq!(theirs.object(), Some(bare("theirs")));
}
