use super::*;
use crate::state::release::{Kept, Status};
use jiff::Timestamp;
use serde_json::Value;

fn heading(revision: u64, status: Status) -> Heading {
    Heading {
        release: "shop".into(),
        namespace: "prod".into(),
        revision,
        status,
        execution: "e".into(),
        job: "j".into(),
        at: Timestamp::UNIX_EPOCH,
        commit: None,
        committed: None,
        previous: None,
        back_to: None,
        returned_from: None,
        failed_at: None,
        cause: None,
        way_back: None,
        version: None,
    }
}

/// `P`ending, `D`eployed, `F`ailed, `S`uperseded.
fn status(letter: char) -> Status {
    match letter {
        'P' => Status::Pending,
        'D' => Status::Deployed,
        'F' => Status::Failed,
        _ => Status::Superseded,
    }
}

fn id(name: &str) -> ObjectId {
    ObjectId {
        kind: "ConfigMap".into(),
        name: name.into(),
        ..ObjectId::default()
    }
}

fn object(name: &str, uid: Option<&str>, before: Before) -> RecordedObject {
    RecordedObject {
        id: id(name),
        api_version: "v1".into(),
        plural: "configmaps".into(),
        wave: 0,
        stays: false,
        follow: true,
        left: false,
        had: 0,
        uid: uid.map(str::to_owned),
        manifest: Kept::Omitted,
        before,
    }
}

fn record(revision: u64, letter: char, objects: &[RecordedObject]) -> Record {
    Record {
        heading: heading(revision, status(letter)),
        objects: objects.to_vec(),
    }
}

#[test]
fn the_newest_that_were_deployed_are_kept_and_all_that_came_after_the_last() {
    for (statuses, expected) in [
        ("", &[][..]),
        ("P", &[]),
        ("FFF", &[]),
        ("D", &[]),
        ("SSSSD", &[]),
        ("SSSSSD", &[1]),
        ("SSSSSSDFP", &[1, 2]),
        // Failed ones go as soon as a later one was deployed.
        ("SFFSPD", &[2, 3, 5]),
        ("FFDFF", &[1, 2]),
    ] {
        let headings = statuses.chars().enumerate();
        let mut headings: Vec<_> = headings
            .map(|(place, letter)| heading(place as u64 + 1, status(letter)))
            .collect();
        assert_eq!(outdated(&headings), expected, "{statuses}");
        headings.reverse();
        assert_eq!(outdated(&headings), expected, "{statuses}, reversed");
    }
}

/// Whoever repeats a rollback goes back to the same.
#[test]
fn what_the_newest_brought_back_is_kept_however_old_it_is() {
    let mut headings: Vec<_> = (1..=9)
        .map(|revision| heading(revision, Status::Deployed))
        .collect();
    headings[7].back_to = Some(1);
    assert_eq!(outdated(&headings), [1, 2, 3, 4]);
    headings[8].back_to = Some(2);
    assert_eq!(outdated(&headings), [1, 3, 4]);
    headings[8].back_to = Some(7);
    assert_eq!(outdated(&headings), [1, 2, 3, 4]);
}

/// An `x` failed, and all of it was taken back.
#[test]
fn what_served_before_is_the_last_good_one_but_for_the_one_that_is_there() {
    for (statuses, expected) in [
        ("", (None, None)),
        ("D", (Some(1), None)),
        ("SD", (Some(2), Some(1))),
        ("SxD", (Some(3), Some(1))),
        ("SDx", (Some(2), Some(1))),
        ("SDxx", (Some(2), Some(1))),
        // Some of it is there.
        ("SDF", (Some(3), Some(2))),
        ("SDP", (Some(3), Some(2))),
        ("SDxP", (Some(4), Some(2))),
        ("DF", (Some(2), Some(1))),
        ("F", (Some(1), None)),
        ("x", (None, None)),
    ] {
        let headings = statuses.chars().enumerate();
        let headings = headings.map(|(place, letter)| {
            let status = status(if letter == 'x' { 'F' } else { letter });
            let cause = (letter == 'x').then(String::new);
            Heading {
                cause,
                ..heading(place as u64 + 1, status)
            }
        });
        let headings: Vec<_> = headings.collect();
        let is_there = |it: &Heading| it.cause.is_none();
        assert_eq!(former(&headings, is_there), expected, "{statuses}");
    }
}

/// `1` to `9` brought that revision back.
#[test]
fn what_only_tells_again_what_is_there_is_not_what_served_before() {
    for (statuses, expected) in [
        // Back, and back again: the newer version returns.
        ("SS1", (Some(3), Some(2))),
        ("SS12", (Some(4), Some(3))),
        // One went back while another had failed and was taken back: nothing changed.
        ("SSx2", (Some(4), Some(1))),
        ("SSx2x4", (Some(6), Some(1))),
        ("SSx24", (Some(5), Some(1))),
        ("SS1x3", (Some(5), Some(2))),
        // The version that was left was deployed once more.
        ("SS1S", (Some(4), Some(3))),
        // What was brought back has no record any more.
        ("xx11S", (Some(5), Some(4))),
        ("xx11", (Some(4), None)),
        ("Sx1", (Some(3), None)),
        // What was left in part goes back to what was there before it.
        ("SS1F", (Some(4), Some(3))),
    ] {
        let headings = statuses.chars().enumerate().map(|(place, letter)| Heading {
            cause: (letter == 'x').then(String::new),
            back_to: letter.to_digit(10).map(u64::from),
            ..heading(
                place as u64 + 1,
                status(if letter == 'x' { 'F' } else { letter }),
            )
        });
        let headings: Vec<_> = headings.collect();
        let is_there = |it: &Heading| it.cause.is_none();
        assert_eq!(former(&headings, is_there), expected, "{statuses}");
    }
}

#[test]
fn numbers_are_never_given_twice() {
    assert_eq!(next_revision(0, []), 1);
    assert_eq!(next_revision(4, [2, 3]), 5);
    // The parent's note was lost.
    assert_eq!(next_revision(0, [7, 3]), 8);
    assert_eq!(next_revision(u64::MAX, []), u64::MAX);
}

#[test]
fn the_base_is_the_last_good_revision_and_all_that_was_tried_since() {
    let records = [
        record(
            4,
            'F',
            &[
                object("web", None, Before::InRelease),
                object("new", None, Before::Absent),
            ],
        ),
        record(1, 'S', &[object("old", Some("u-0"), Before::Absent)]),
        record(
            2,
            'D',
            &[
                object("web", Some("u-1"), Before::Absent),
                object("db", Some("u-2"), Before::Absent),
            ],
        ),
        record(3, 'P', &[object("new", Some("u-3"), Before::Absent)]),
    ];
    assert_eq!(last_good(&records).unwrap().heading.revision, 2);
    let base = base(&records);
    let found = base
        .iter()
        .map(|object| (object.id.name.as_str(), object.uid.as_deref()));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("db", Some("u-2")),
            ("new", Some("u-3")),
            ("web", Some("u-1"))
        ]
    );
    assert!(super::base(&[]).is_empty());
    // Nothing was ever deployed: all that was tried.
    assert_eq!(super::base(&records[..1]).len(), 2);
}

#[test]
fn what_an_object_was_is_what_it_was_before_the_first_that_left_it_changed() {
    let was = |text: &str| Before::Live(text.into());
    let good = record(2, 'D', &[object("x", None, Before::Absent)]);
    let with = |revisions: &[(u64, char, Before)]| {
        let records = revisions.iter().map(|(revision, letter, before)| {
            record(*revision, *letter, &[object("y", None, before.clone())])
        });
        let records: Vec<_> = records.chain([good.clone()]).collect();
        before_of(&id("y"), &records).clone()
    };
    // A dead deploy made it, and the next found it in the release.
    assert_eq!(
        with(&[(3, 'P', Before::Absent), (4, 'F', Before::InRelease)]),
        Before::Absent
    );
    let taken = with(&[(3, 'P', was("theirs")), (4, 'P', Before::InRelease)]);
    assert!(taken == was("theirs"));
    // One that failed was taken back, then somebody made the object, and it was taken over.
    let made = with(&[(3, 'F', Before::Absent), (4, 'P', was("made since"))]);
    assert!(made == was("made since"));
    assert_eq!(
        with(&[(3, 'F', was("gone since")), (4, 'P', Before::Absent)]),
        Before::Absent
    );
    // An older revision than the last good one says nothing.
    assert_eq!(with(&[(1, 'S', was("long ago"))]), Before::Unknown);
    assert_eq!(with(&[(3, 'P', Before::InRelease)]), Before::Unknown);
    // What the last good revision has is the release's, even if somebody deleted it since.
    let deleted = record(3, 'P', &[object("x", None, Before::Absent)]);
    assert_eq!(
        before_of(&id("x"), &[good.clone(), deleted]),
        &Before::InRelease
    );
}

#[test]
fn what_somebody_made_since_a_failed_revision_is_not_taken_for_its_leftover() {
    let live = |part_of: &str| serde_json::json!({"metadata": {"labels": {"applyset.kubernetes.io/part-of": part_of}}});
    let records = [
        record(1, 'D', &[object("kept", None, Before::Absent)]),
        record(2, 'F', &[object("new", None, Before::Absent)]),
    ];
    let found = |name: &str, live: Option<&Value>| found_as(&id(name), live, "ours", &records);
    // It was taken back, and somebody else made it since.
    assert!(matches!(
        found("new", Some(&live("theirs"))),
        Before::Live(_)
    ));
    // It was left.
    assert_eq!(found("new", Some(&live("ours"))), Before::Absent);
    assert_eq!(found("new", None), Before::Absent);
    // The last good revision has it, and somebody deleted it, or took it out of the release.
    assert_eq!(found("kept", None), Before::InRelease);
    assert_eq!(found("kept", Some(&live("ours"))), Before::InRelease);
    assert!(matches!(
        found("kept", Some(&live("theirs"))),
        Before::Live(_)
    ));
    // Nobody knows what it was: as it is.
    assert!(matches!(
        found("other", Some(&live("ours"))),
        Before::Live(_)
    ));
}

#[test]
fn what_dead_deploys_have_left_is_known_until_one_has_worked() {
    let of = |name: &str| object(name, None, Before::Absent);
    let names = |records: &[Record]| {
        let left = left_by_dead(records);
        left.into_iter().map(|it| it.id.name).collect::<Vec<_>>()
    };
    let dead = [
        record(2, 'P', &[of("a"), of("b")]),
        record(3, 'P', &[of("b"), of("c")]),
    ];
    assert_eq!(names(&dead), ["a", "b", "c"]);
    // One that failed has taken back its own.
    let failed = [record(2, 'P', &[of("a")]), record(3, 'F', &[of("b")])];
    assert_eq!(names(&failed), ["a"]);
    let over = [record(2, 'P', &[of("a")]), record(3, 'D', &[of("b")])];
    assert_eq!(names(&over), [""; 0]);
    assert_eq!(names(&[]), [""; 0]);
}
