use super::*;

fn parse(line: &str) -> Result<Options, String> {
    Options::parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn options_are_read() {
    let options = parse("run --candidates c --floor f --rounds 3 --only landfall,go").unwrap();
    assert_eq!(options.command.as_deref(), Some("run"));
    assert_eq!((options.rounds, options.rollout), (Some(3), None));
    assert_eq!(options.only, ["landfall", "go"]);
    let options = parse("load --pods 3,100 --deploys 10").unwrap();
    assert_eq!((options.pods, options.deploys), (vec![3, 100], vec![10]));
    assert!(parse("--help").unwrap().help);
}

#[test]
fn mistakes_are_told_in_words() {
    for (line, text) in [
        ("run --rounds 0", "--rounds takes a number from 1 to 1000"),
        (
            "run --rollout 601",
            "--rollout takes a number from 1 to 600",
        ),
        ("run --rounds many", "many"),
        ("load --pods 3,,5", "\"\" is not a number from 1 to 10000"),
        ("load --deploys 0", "\"0\" is not a number from 1 to 10000"),
        ("releases --objects 20000", "\"20000\" is not"),
        ("run twice", "twice"),
        ("run --colour", "--colour"),
    ] {
        let problem = parse(line).unwrap_err();
        assert!(problem.contains(text), "{line}: {problem}");
    }
}
