use super::*;
use serde_json::json;

fn load() -> Value {
    let rollout = |name: &str, pods: u64, calls: u64, read: u64| {
        json!({"pods": pods, "name": name, "title": name, "calls": calls, "read": read,
            "kinds": {"list pods": 1, "watch pods": 1}, "connections": 4, "seconds": 61.2, "cpu": 10.0, "peak": 8.25})
    };
    let others = json!({"requests": 10, "median": 1.0, "ninetyNine": 12.3});
    json!({"date": "2026-11-29", "version": "v1.35.4", "processors": 2,
        "rollouts": [rollout("landfall", 3, 10, 40_960), rollout("kubectl", 3, 9, 10_240),
            rollout("landfall", 5_000, 11, 52_428_800)],
        "switch": {"calls": 28, "words": "20, 2, 6", "read": 4_096, "peak": 8.0, "seconds": 64.0},
        "crowds": [
            {"title": "nobody follows", "deploys": 10, "wall": 9.0, "cpu": 1.5, "calls": null,
                "others": others},
            {"title": "Landfall", "deploys": 10, "wall": 9.1, "cpu": 1.75, "calls": 105,
                "last": 9.2, "others": others}]})
}

fn cells<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("{start}: {text}"));
    line.split('|')
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect()
}

#[test]
fn every_number_of_pods_has_a_column() {
    let text = text(&load());
    let expected = [
        "landfall",
        "10, 40 KiB",
        "11, 50 MiB",
        "1",
        "4",
        "8.2 MiB",
        "61 s",
    ];
    assert_eq!(cells(&text, "| landfall"), expected);
    // Nobody measured kubectl with many pods: it has no figure there, not another's.
    let expected = ["kubectl", "9, 10 KiB", "–", "–", "4", "–", "–"];
    assert_eq!(cells(&text, "| kubectl"), expected);
}

#[test]
fn the_calls_of_a_crowd_are_those_of_each_deploy() {
    let text = text(&load());
    let expected = [
        "10: Landfall",
        "10",
        "1.75 s",
        "1.0 ms",
        "12 ms",
        "9.2 s",
        "9.1 s",
    ];
    assert_eq!(cells(&text, "| 10: Landfall"), expected);
    let nobody = cells(&text, "| 10: nobody");
    assert_eq!((nobody[1], nobody[5]), ("–", "–"));
}

#[test]
fn what_was_not_measured_has_no_table() {
    let text = text(&json!({"rollouts": [], "switch": null, "crowds": []}));
    assert!(!text.contains("###"), "{text}");
}

#[test]
fn the_summary_finds_the_rollout_of_few() {
    let load = load();
    assert_eq!(rollout(&load, "landfall", "/calls"), Some(10.0));
    assert_eq!(rollout(&load, "go", "/calls"), None);
}
