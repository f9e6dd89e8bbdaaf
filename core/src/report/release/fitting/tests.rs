use super::*;

#[test]
fn what_does_not_fit_is_counted() {
    let all = (0..30).map(|number| format!("object-{number:02}"));
    let all = all.collect::<Vec<_>>();
    let text = fit(&all, "\n", "objects", 100);
    let shown = "object-00\nobject-01\nobject-02\nobject-03\nobject-04\nobject-05";
    assert_eq!(text, format!("{shown}\n… and 24 more objects"));
    for limit in 40..400 {
        assert!(fit(&all, "\n", "objects", limit).len() <= limit);
    }
    assert_eq!(fit(&all, "\n", "objects", 340), all.join("\n"));
    assert_eq!(fit(&[], "\n", "objects", 100), "");
    assert_eq!(
        fit(&["x".repeat(101)], "\n", "objects", 100),
        "… and 1 more object"
    );
}

/// Ten objects with many fields each: all are named before the first shows its fields.
#[test]
fn everything_is_named_before_anything_is_shown_in_full() {
    let forms = |number: usize| {
        let name = format!("object-{number}");
        let few = format!("{name}: {}", "x".repeat(50));
        Block {
            forms: vec![name.clone(), few, format!("{name}: {}", "x".repeat(5000))],
            least: 0,
            things: 1,
        }
    };
    let all = (0..10).map(forms).collect::<Vec<_>>();
    let text = fit_forms(&all, "\n", "objects", 1000);
    for number in 0..10 {
        let few = format!("object-{number}: xxx");
        assert!(text.contains(&few), "{text}");
    }
    let text = fit_forms(&all, "\n", "objects", 200);
    let lines = text.lines().collect::<Vec<_>>();
    assert!(
        lines.len() == 10 && lines[0].starts_with("object-0: xxx"),
        "{text}"
    );
    assert_eq!(lines[9], "object-9", "{text}");
    for limit in 50..6000 {
        assert!(
            fit_forms(&all, "\n", "objects", limit).len() <= limit,
            "{limit}"
        );
    }
    // What fits is shown in full.
    let text = fit_forms(&all[..1], "\n", "objects", 6000);
    assert_eq!(text, all[0].forms[2]);
    assert_eq!(fit_forms(&[], "\n", "objects", 100), "");
}

/// What is left out is counted by its things, of which one text may tell many.
#[test]
fn what_is_told_together_is_counted_one_by_one() {
    let block = |text: &str, things| Block {
        forms: vec![text.repeat(30)],
        least: 0,
        things,
    };
    let all = [block("a", 1), block("b", 60), block("c", 2)];
    let text = fit_forms(&all, "\n", "objects", 80);
    assert_eq!(text, format!("{}\n… and 62 more objects", "a".repeat(30)));
}

/// Ten workloads and fifty other objects: which images come is told, and the others are counted.
#[test]
fn what_must_be_shown_is_shown_at_the_cost_of_what_matters_less() {
    let all = (0..60).map(|number| {
        let name = format!("object-{number}");
        let images = format!("{name}: {}", "x".repeat(50));
        Block {
            least: usize::from(number < 10),
            forms: vec![name, images],
            things: 1,
        }
    });
    let mut all = all.collect::<Vec<_>>();
    let text = fit_forms(&all, "\n", "objects", 1000);
    let shown = text.lines().filter(|line| line.contains("xxx"));
    assert_eq!(shown.count(), 10, "{text}");
    assert!(text.contains("\nobject-15\n"), "{text}");
    assert!(text.ends_with(" more objects"), "{text}");
    // One for which there is no room is named.
    all[1].forms[1] = "x".repeat(2000);
    let text = fit_forms(&all, "\n", "objects", 1000);
    assert!(text.contains("\nobject-1\nobject-2: xxx"), "{text}");
    for limit in 50..2000 {
        let text = fit_forms(&all, "\n", "objects", limit);
        assert!(text.len() <= limit, "{limit}");
    }
}
