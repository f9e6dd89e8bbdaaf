//! Artifacts that are large, and hostile ones.

use crate::artifact::{NEW_IMAGE, archive, deploy, manifest, reads, zip};
use crate::stage::Stage;
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

/// What a function may use for an artifact of any size.
const MEMORY: u64 = 64 * 1024;

/// A function whose memory is looked at.
fn memory(stage: &Stage) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", stage.function.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix("kB"));
    number.unwrap().trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_artifact_takes_few_reads_and_little_memory() {
    let stage = Stage::new().await;
    let text = manifest(&stage, NEW_IMAGE).to_string();
    let names = (0..20_000)
        .map(|n| format!("node_modules/{n}/package.json"))
        .collect::<Vec<_>>();
    let large = vec![0; 200 << 20];
    let mut members = vec![("app.json", text.as_bytes()), ("large.bin", &*large)];
    members.extend(names.iter().map(|name| (name.as_str(), &b"{}"[..])));
    let source = zip(&members);
    let artifacts: [(&str, Option<&[u8]>); 1] = [("Source", Some(&source))];
    deploy(&stage, &artifacts, json!({"manifest": "app.json"}))
        .await
        .success();
    assert_eq!(reads(&stage), 3, "its end, its directory and the member");
    println!("200 MB: {} KiB at the most", memory(&stage));
    assert!(memory(&stage) < MEMORY, "{} KiB", memory(&stage));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_refused_in_little_time_and_memory() {
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (one, other) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        laughs.push_str(&format!(
            "{other}: &{other} [{}]\n",
            format!("*{one}, ").repeat(10)
        ));
    }
    let documents = "---\na: 1\n".repeat(100_000);
    let wide = "- 0\n".repeat(450_000);
    let deep = "[".repeat(1_000_000);
    let json = format!("{{\"a\": [0{}]}}", ",0".repeat(900_000));
    let mappings = "- {a: 1}\n".repeat(200_000);
    let one_line = format!("[{}]", "\"a\",".repeat(460_000));
    let bomb = archive("bomb");
    let text = |text: &str| zip(&[("app.yaml", text.as_bytes())]);
    let large = zip(&[("app.yaml", &vec![b' '; 3 << 20])]);
    for (name, content, expected) in [
        ("laughs", text(&laughs), "more than 600000 values"),
        (
            "documents",
            text(&documents),
            "has more than 10000 documents",
        ),
        ("wide", text(&wide), "has a document without a `kind`"),
        ("deep", text(&deep), "recursion limit exceeded"),
        ("mappings", text(&mappings), "more than 600000 values"),
        (
            "one line",
            text(&one_line),
            "has a document without a `kind`",
        ),
        ("JSON", text(&json), "more than 600000 values"),
        ("large", large, "has 3 MiB, and at most 2 MiB is read"),
        ("bomb", bomb, "at most 2 MiB is read"),
    ] {
        let stage = Stage::new().await;
        let artifacts: [(&str, Option<&[u8]>); 1] = [("Source", Some(&content))];
        let start = Instant::now();
        let parameters = json!({"manifest": "app.yaml"});
        let (_, message) = deploy(&stage, &artifacts, parameters).await.failure();
        let (took, memory) = (start.elapsed(), memory(&stage));
        println!("{name}: {took:?}, {memory} KiB");
        assert!(message.contains(expected), "{name}: {message}");
        assert!(memory < MEMORY, "{name}: {memory} KiB");
        // A second in the form that is shipped; the test's own is ten times slower.
        assert!(took < Duration::from_secs(10), "{name}: {took:?}");
    }
}
