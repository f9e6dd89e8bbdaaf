use super::*;

#[test]
fn the_last_price_of_a_processor_counts() {
    let file = "# processor millions reason\n\nx86_64 14.00 first\naarch64 12 first\n\
                    x86_64 15.50 plans are made here, too\nx86_64 soon no number\n";
    for (processor, expected) in [
        ("x86_64", Some(15.5)),
        ("aarch64", Some(12.0)),
        ("riscv64", None),
        ("#", None),
    ] {
        assert_eq!(held(file, processor), expected, "{processor}");
    }
}

#[test]
fn more_than_a_tenth_is_too_much() {
    for (found, held, expected) in [
        (10.0, Some(10.0), "Holds"),
        (10.9, Some(10.0), "Holds"),
        (11.1, Some(10.0), "Dearer"),
        (9.1, Some(10.0), "Holds"),
        (8.9, Some(10.0), "Cheaper"),
        (8.9, None, "Unknown"),
    ] {
        let verdict = format!("{:?}", judge(found, held));
        assert!(
            verdict.starts_with(expected),
            "{found}, {held:?}: {verdict}"
        );
    }
}

#[test]
fn what_is_too_dear_is_told_with_what_to_do() {
    let prices = Path::new("bench/instructions.txt");
    let text = sentence(judge(12.5, Some(10.0)), Some(10.0), 12.5, "x86_64", prices);
    assert_eq!(
        text,
        "bench/instructions.txt has 10.00: this is 25 % more, and 10 % are allowed.\nMake it \
             cheaper, or, where it is worth its price, write this line at the end of \
             bench/instructions.txt:\nx86_64 12.50 <reason>"
    );
}

#[test]
fn callgrinds_total_is_found() {
    assert_eq!(
        total("events: Ir\nfn=(1) main\n16 400\ntotals: 14123456\n"),
        Some(14_123_456.0)
    );
    assert_eq!(total("events: Ir\n"), None);
}
