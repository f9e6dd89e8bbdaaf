use super::*;

fn read_of(values: &[&str]) -> Vec<String> {
    let values = values.iter().map(|value| value.as_bytes());
    read(values, |text| text.replace("s3cret", "[hidden]"))
}

#[test]
fn warnings_are_read_as_kubectl_prints_them() {
    let half = r#"299 - "spec.template.spec.containers[0].resources.limits[memory]: fractional byte value \"512m\" is invalid, must be an integer""#;
    assert_eq!(
        read_of(&[half]),
        [
            "spec.template.spec.containers[0].resources.limits[memory]: fractional byte value \
          \"512m\" is invalid, must be an integer"
        ]
    );
    let two = r#"299 - "one, 299 times" "Sat, 01 Jan 2026 00:00:00 GMT", 299 k8s "two""#;
    assert_eq!(
        read_of(&[two, r#"299 - "three""#]),
        ["one, 299 times", "two", "three"]
    );
}

#[test]
fn what_is_hostile_is_cut_cleaned_and_hidden() {
    assert_eq!(read_of(&["299 - \"a s3cret\tb\""]), ["a [hidden] b"]);
    for odd in ["", "299", "299 -", "199 - \"other\"", "299 - \"\""] {
        assert!(read_of(&[odd]).is_empty(), "{odd}");
    }
    assert_eq!(read_of(&["299 - \"not closed"]), ["not closed"]);
    assert_eq!(read_of(&["299 - \"ends in \\"]), ["ends in"]);
    let long = format!("299 - \"{}\"", "x".repeat(3000));
    assert!(read_of(&[&long])[0].len() <= LENGTH);
    let many = ["299 - \"x\""; 50];
    assert_eq!(read_of(&many).len(), LIMIT);
}
