use super::*;

fn parse(line: &str) -> Result<Options, String> {
    Options::parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn options_end_where_the_command_begins() {
    let options = parse("--programs p --stories -- cargo test -- --help").unwrap();
    assert_eq!(options.command, ["cargo", "test", "--", "--help"]);
    assert_eq!(options.programs, Some(PathBuf::from("p")));
    assert!(options.stories && !options.help);
    assert_eq!(parse("--programs p").unwrap().command, [""; 0]);
}

#[test]
fn mistakes_are_told_in_words() {
    for (line, text) in [
        ("cargo test", "cargo"),
        ("--programs", "--programs"),
        ("--context kind", "--context needs --kubeconfig"),
        ("--stories", "--stories needs a COMMAND"),
        ("--kubeconfig f", "--kubeconfig needs a COMMAND"),
        ("--colour", "--colour"),
    ] {
        let problem = parse(line).unwrap_err();
        assert!(problem.contains(text), "{line}: {problem}");
    }
}
