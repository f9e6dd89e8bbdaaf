use super::*;
use crate::state::marks;
use crate::workload::Kind;
use serde_json::json;

#[test]
fn the_ones_written_last_are_kept() {
    let version = |name: &str, minute: u32, ours: bool| {
        let at = format!("2026-01-01T00:{minute:02}:00Z");
        let mut notes = json!({marks::DEPLOYED_AT: at});
        if ours {
            notes[CREATED_BY] = json!("job");
        }
        Workload::new(
            Kind::Deployment,
            json!({"metadata": {"name": name, "annotations": notes}}),
        )
    };
    let [a, b, c] = [
        version("a", 1, true),
        version("b", 3, true),
        version("c", 2, true),
    ];
    let strange = version("d", 0, false);
    let all = [&a, &strange, &b, &c];
    for (keep, expected) in [(0, "bca"), (1, "ca"), (2, "a"), (3, ""), (20, "")] {
        let surplus = surplus(&all, "", keep).into_iter().map(|it| it.name());
        assert_eq!(surplus.collect::<String>(), expected, "keep {keep}");
    }
    // What served last is the way back, whenever it was written.
    let kept = surplus(&all, "a", 1).into_iter().map(|it| it.name());
    assert_eq!(kept.collect::<String>(), "bc");
    let mut failed = b.value().clone();
    failed["metadata"]["annotations"][marks::ROLLED_BACK] = json!("job");
    let failed = Workload::new(Kind::Deployment, failed);
    let all = [&a, &failed, &c];
    let gone = surplus(&all, "c", 20).into_iter().map(|it| it.name());
    assert_eq!(gone.collect::<String>(), "b");
}

#[test]
fn a_version_is_the_beginning_of_a_digest() {
    assert_eq!(version("0123456789abcdef"), "0123456789");
}
