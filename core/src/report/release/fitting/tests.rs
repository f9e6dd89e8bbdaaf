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
        "… and 1 more objects"
    );
}
