use super::*;
use crate::report::tests::{of, row};

fn figures(cold: [f64; 2]) -> Figures {
    let mut rows = vec![row("landfall", &cold[..1]), row("python", &cold[1..])];
    for row in &mut rows {
        row.package = None;
    }
    of(rows)
}

#[test]
fn bars_are_as_long_as_what_they_stand_for() {
    let text = plot(&figures([5.0, 100.0]));
    let lengths = text.lines().filter(|line| line.starts_with("<rect"));
    let lengths = lengths
        .map(|line| {
            let (_, rest) = line.split_once(" width=\"").unwrap();
            rest.split('"').next().unwrap().parse::<f64>().unwrap()
        })
        .collect::<Vec<_>>();
    // Memory is alike, and there is no package to show.
    assert_eq!(lengths, [23.0, 460.0, 460.0, 460.0]);
    assert_eq!(text.matches("class=\"ours\"").count(), 2);
    assert!(
        text.contains(">5.0 ms<") && text.contains(">100 ms<"),
        "{text}"
    );
}

#[test]
fn what_is_tiny_is_still_seen() {
    let text = plot(&figures([0.001, 1000.0]));
    assert!(text.contains("width=\"1.0\""), "{text}");
}
