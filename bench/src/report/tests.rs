use super::*;

/// A candidate that was cold so often.
pub(crate) fn row(name: &'static str, cold: &[f64]) -> Row {
    Row {
        name,
        title: name,
        package: Some(3_400_000),
        deploys: Deploys {
            cold: cold.to_vec(),
            peak: 9.14,
            ..Deploys::default()
        },
        ends: Vec::new(),
        waited: None,
        after: Vec::new(),
    }
}

/// These candidates, and nothing else.
pub(crate) fn of(rows: Vec<Row>) -> Figures {
    Figures {
        date: "2026-11-23".to_owned(),
        rounds: 3,
        processors: 2,
        bare: vec![1.04],
        rollout: 60.0,
        rows,
        crowds: Vec::new(),
        real: None,
        load: None,
        doom: Vec::new(),
        missing: vec!["go"],
    }
}

fn figures() -> Figures {
    of(vec![
        row("landfall", &[5.0, 4.0, 6.0]),
        row("python", &[300.0, 320.0, 310.0]),
        row("floor", &[2.5]),
    ])
}

#[test]
fn a_table_is_markdown_and_aligned() {
    let rows = [vec!["", "cold"], vec!["Landfall", "5.0 ms"], vec!["Go"]];
    let rows = rows.map(|row| row.into_iter().map(str::to_owned).collect());
    let expected = "\
            |          |   cold |\n\
            |----------|-------:|\n\
            | Landfall | 5.0 ms |\n\
            | Go       |        |\n";
    assert_eq!(table(&rows), expected);
}

#[test]
fn numbers_have_the_digits_that_they_bear() {
    for (value, expected) in [
        (0.04, "0.0"),
        (4.26, "4.3"),
        (9.96, "10"),
        (12.4, "12"),
        (311.5, "312"),
    ] {
        assert_eq!(number(value), expected);
    }
}

#[test]
fn what_was_measured_is_told_beside_landfall() {
    let text = figures().text();
    assert!(
        text.contains("3 rounds; a process that does nothing takes 1.0 ms here."),
        "{text}"
    );
    assert!(text.contains("could not be made here: go."), "{text}");
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
    for part in ["5.0 ms |", " 1.0 |", " 2.0 |", "9.1 MiB", "3.4 MB"] {
        assert!(line("| landfall").contains(part), "{part}: {text}");
    }
    for part in ["310 ms |", " 62 |", "–"] {
        assert!(line("| python").contains(part), "{part}: {text}");
    }
    assert!(!text.contains("real Kubernetes"), "{text}");
}

#[test]
fn programs_read_the_same() {
    let json = figures().json();
    assert_eq!(
        json.pointer("/candidates/1/cold/median"),
        Some(&json!(310.0))
    );
    let price = json.pointer("/candidates/0/price");
    let price = price.and_then(Value::as_f64).unwrap();
    assert!(
        (price - (2e-7 + 0.25 * 0.005 * 0.000_013_333_4)).abs() < 1e-15,
        "{price}"
    );
    assert_eq!(json["missing"], json!(["go"]));
}
