use super::super::*;
use super::*;

const NOW: &str = "2026-01-01T00:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn service(selector: Value, notes: Value) -> Service {
    Service::new(json!({"metadata": {"name": "web", "resourceVersion": "7",
        "annotations": notes}, "spec": {"selector": selector}}))
}

fn lock() -> Lock {
    Lock {
        execution: "run-1".to_owned(),
        job: "job-1".to_owned(),
        version: "green".to_owned(),
        since: now(),
        guarded: None,
        deadline: now(),
        selector: None,
        wanted: None,
        handover: None,
        untested: false,
        back: false,
        returns: false,
        route: None,
        pinned: None,
        share: None,
    }
}

fn blue() -> Value {
    json!({"app": "web", VERSION: "blue"})
}

fn under_way(selector: Value, overlap: &Overlap) -> Service {
    let notes = json!({OVERLAP: json!(overlap).to_string(),
        SELECTOR_BEFORE: blue().to_string()});
    service(selector, notes)
}

#[test]
fn both_versions_serve_by_the_labels_that_they_have_in_common() {
    let author = Author {
        execution: "run-1",
        job: "job-1",
        now: now(),
    };
    let before = service(blue(), json!({}));
    let to = ("web-green", "green");
    let time = Duration::from_secs(90);
    let patch = widen(&before, &lock(), "web-blue", to, &author, time);
    assert_eq!(
        patch["spec"]["selector"],
        json!({"app": "web", VERSION: null})
    );
    let notes = &patch["metadata"]["annotations"];
    assert_eq!(patch["metadata"]["resourceVersion"], "7");
    assert_eq!(notes[marks::JOB], "job-1");
    assert_eq!(notes[SELECTOR_BEFORE], blue().to_string());
    let noted: Overlap = serde_json::from_str(notes[OVERLAP].as_str().unwrap()).unwrap();
    assert_eq!(noted, Overlap::of(Leaves::Old, time));
}

#[test]
fn the_old_version_leaves_and_the_bake_begins() {
    let overlap = Overlap::of(Leaves::Old, Duration::from_secs(90));
    let both = under_way(json!({"app": "web"}), &overlap);
    let patch = narrow(&both, &lock(), now());
    let expected = json!({"app": "web", VERSION: "green"});
    assert_eq!(patch["spec"]["selector"], expected);
    let notes = &patch["metadata"]["annotations"];
    assert_eq!(notes[marks::DEPLOYED_AT], NOW);
    assert!(notes[OVERLAP].is_null() && notes.get(OVERLAP).is_some());
}

#[test]
fn a_failed_version_leaves_by_an_overlap_as_well() {
    let green = service(json!({"app": "web", VERSION: "green"}), json!({}));
    let failed = Failed {
        job: "job-1",
        cause: "it broke",
        at: now(),
    };
    let patch = widen_back(&green, &lock(), &failed, Duration::from_secs(5));
    let notes = &patch["metadata"]["annotations"];
    assert_eq!(
        patch["spec"]["selector"],
        json!({"app": "web", VERSION: null})
    );
    assert_eq!(notes[marks::CAUSE], "it broke");
    let noted: Overlap = serde_json::from_str(notes[OVERLAP].as_str().unwrap()).unwrap();
    assert_eq!(noted.leaves, Leaves::New);
    let both = under_way(json!({"app": "web"}), &noted);
    let before = selector_before(&both).unwrap();
    let patch = end(&both, &before);
    assert_eq!(patch["spec"]["selector"], blue());
    assert!(
        patch["metadata"]["annotations"]
            .get(OVERLAP)
            .unwrap()
            .is_null()
    );
}

#[test]
fn an_overlap_is_one_only_where_the_service_selects_by_it() {
    let overlap = Overlap::of(Leaves::Old, Duration::from_secs(90));
    let both = json!({"app": "web"});
    assert_eq!(
        Overlap::read(&under_way(both.clone(), &overlap)),
        Some(overlap)
    );
    // Somebody else has set it to something since.
    let none = [
        under_way(blue(), &overlap),
        under_way(json!({"app": "other"}), &overlap),
        service(both.clone(), json!({OVERLAP: json!(overlap).to_string()})),
        service(
            both.clone(),
            json!({OVERLAP: "soon", SELECTOR_BEFORE: blue().to_string()}),
        ),
        service(both, json!({})),
    ];
    for service in none {
        assert_eq!(Overlap::read(&service), None, "{service:?}");
    }
}

#[test]
fn it_ends_so_long_after_it_began_to_count() {
    let overlap = Overlap::of(Leaves::Old, Duration::from_secs(90));
    assert_eq!(overlap.until(), None);
    let both = under_way(json!({"app": "web"}), &overlap);
    let patch = count(&both, &overlap, Some(&lock()), now());
    let notes = &patch["metadata"]["annotations"];
    let counted: Overlap = serde_json::from_str(notes[OVERLAP].as_str().unwrap()).unwrap();
    assert_eq!(counted.until(), Some(now() + Duration::from_secs(90)));
    assert!(patch["spec"].is_null(), "the selector stays");
}
