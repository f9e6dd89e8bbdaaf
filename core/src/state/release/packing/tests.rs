use super::*;
use crate::kubernetes::object_id::ObjectId;
use serde_json::json;

/// A text that cannot be packed to much less than it is.
fn noise(length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 64) as u8)
    };
    (0..length).map(|_| next()).collect()
}

fn object(group: &str, kind: &str, length: usize, seed: u64) -> RecordedObject {
    RecordedObject {
        id: ObjectId {
            group: group.into(),
            kind: kind.into(),
            namespace: None,
            name: format!("n{seed}"),
        },
        api_version: "v1".into(),
        plural: "x".into(),
        wave: 0,
        stays: false,
        follow: true,
        left: false,
        had: 0,
        uid: Some(format!("uid-{seed}")),
        manifest: Kept::whole(&json!({"data": noise(length, seed)})),
        before: Before::Absent,
    }
}

fn unpacked(packed: &[u8]) -> Vec<RecordedObject> {
    read(&gzip::unpack(packed, 10_000_000).unwrap()).unwrap()
}

/// What is left of the manifests: `.` whole, `-` left out.
fn left(objects: &[RecordedObject]) -> String {
    let mark = |object: &RecordedObject| match object.manifest {
        Kept::Whole(_) => '.',
        Kept::Omitted => '-',
    };
    objects.iter().map(mark).collect()
}

#[test]
fn definitions_are_left_out_first_then_the_largest() {
    let crds = "apiextensions.k8s.io";
    let objects = [
        object("", "ConfigMap", 40_000, 1),
        object(crds, "CustomResourceDefinition", 20_000, 2),
        object("apps", "Deployment", 10_000, 3),
        object(crds, "CustomResourceDefinition", 30_000, 4),
        object("", "Secret", 5_000, 5),
    ];
    for (limit, expected) in [
        (100_000, "....."),
        (65_000, "...-."),
        (50_000, ".-.-."),
        (20_000, "--.-."),
        (8_000, "----."),
        (2_000, "-----"),
    ] {
        let (packed, _) = pack(&objects, limit).unwrap();
        assert!(packed.len() <= limit, "{limit}");
        let objects = unpacked(&packed);
        assert_eq!(left(&objects), expected, "{limit}");
        // What an object is known by is never left out.
        assert!(objects.iter().all(|object| object.uid.is_some()));
    }
}

#[test]
fn what_was_taken_over_is_left_out_as_unknown() {
    let mut one = object("", "ConfigMap", 10, 1);
    one.before = Before::Live(noise(50_000, 9).into());
    let objects = unpacked(&pack(&[one], 10_000).unwrap().0);
    assert_eq!(objects[0].before, Before::Unknown);
    assert_eq!(left(&objects), ".");
}

#[test]
fn what_cannot_be_made_small_enough_is_told() {
    let many = (0..200).map(|seed| object("", "ConfigMap", 100, seed));
    let many = many.collect::<Vec<_>>();
    let size = pack(&many, 500).unwrap_err();
    assert!((500..5_000).contains(&size), "{size}");
    assert!(pack(&[], 10).is_err());
}

#[test]
fn two_thousand_objects_of_usual_size_fit() {
    let many = (0..2000).map(|seed| object("apps", "Deployment", 250, seed));
    let (packed, _) = pack(&many.collect::<Vec<_>>(), PACKED_LIMIT).unwrap();
    assert_eq!(unpacked(&packed).len(), 2000);
    assert!(left(&unpacked(&packed)).chars().all(|mark| mark == '.'));
}
