use super::*;
use crate::report::tests::{of, row};
use serde_json::json;

fn figures(load: Option<Value>) -> Figures {
    let mut rows = vec![row("landfall", &[4.0]), row("go", &[16.0])];
    for row in &mut rows {
        row.ends = vec![2.5];
    }
    let mut figures = of(rows);
    (figures.load, figures.doom) = (load, vec![400.0, 900.0]);
    figures
}

fn load() -> Value {
    let rollout = |name: &str, pods: usize, calls: u64| json!({"name": name, "pods": pods, "calls": calls, "read": 2_048});
    json!({"rollouts": [rollout("landfall", 3, 10), rollout("landfall", 5_000, 12), rollout("kubectl", 3, 13)]})
}

#[test]
fn the_table_has_the_wait_the_load_and_the_price() {
    let text = figures(Some(load())).felt();
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    // 256 MB for a minute of waiting on arm64.
    for part in ["| 2.5 ms |", "| 10 |", "| 2.0 KiB |", "| 0.20 |"] {
        assert!(
            squeezed(line("| landfall")).contains(part),
            "{part}: {text}"
        );
    }
    // Two started minutes: the build machine's own start is billed, too.
    let codebuild = squeezed(line("| kubectl in CodeBuild"));
    assert!(
        codebuild.contains("| 13 |") && codebuild.contains("| 10.00 |"),
        "{text}"
    );
    assert!(text.contains("400 ms (median), 900 ms at worst"), "{text}");
    // What was not measured is not told.
    assert!(!figures(None).felt().contains("KiB"));
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_chart_has_both_builds_beside_landfall() {
    let chart = figures(Some(load())).felt_chart().unwrap();
    for part in [">4.0 ms<", ">28 s<", ">0.20 USD<", ">10.00 USD<", ">13<"] {
        assert!(chart.contains(part), "{part}: {chart}");
    }
    assert_eq!(chart.matches("class=\"ours\"").count(), 3);
    let without = figures(None).felt_chart().unwrap();
    assert!(!without.contains("Calls"), "{without}");
}
