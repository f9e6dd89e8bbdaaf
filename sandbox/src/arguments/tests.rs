use super::*;

fn parse(line: &str) -> Result<Command, String> {
    Command::parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn commands_are_read() {
    let demo = parse("demo --function /f --plain --act 2 --act 7");
    let expected = Demo {
        function: PathBuf::from("/f"),
        events: PathBuf::from("events"),
        plain: true,
        acts: vec![2, 7],
    };
    assert_eq!(demo, Ok(Command::Demo(expected)));
    let invoke = "invoke --function /f --event e.json --life 5 \
                      --cluster https://c --token t";
    let Ok(Command::Invoke(invoke)) = parse(invoke) else {
        panic!("no invoke");
    };
    assert_eq!(invoke.life, Duration::from_secs(5));
    assert_eq!(invoke.input, Input::Event(PathBuf::from("e.json")));
    let cluster = Cluster {
        url: "https://c".to_owned(),
        token: "t".to_owned(),
        ca: None,
    };
    assert_eq!(invoke.place, Place::Token(cluster));
    let invoke = "invoke --function /f --parameters {} --context kind-kind";
    let Ok(Command::Invoke(invoke)) = parse(invoke) else {
        panic!("no invoke");
    };
    assert_eq!(invoke.input, Input::Parameters("{}".to_owned()));
    let own = OwnCluster {
        file: None,
        context: Some("kind-kind".to_owned()),
    };
    assert_eq!(invoke.place, Place::Kubeconfig(own));
    let serve = Serve {
        events: vec![PathBuf::from("a"), PathBuf::from("b")],
        life: LIFE,
    };
    assert_eq!(parse("serve a b"), Ok(Command::Serve(serve)));
    assert_eq!(parse("demo --help"), Ok(Command::Help));
    assert_eq!(parse("--version"), Ok(Command::Version));
}

#[test]
fn mistakes_are_told_in_words() {
    let cases = [
        ("", "a command is missing"),
        ("show", "no command \"show\""),
        ("demo", "--function is missing"),
        ("demo --function /f extra", "demo takes no \"extra\""),
        ("demo --function /f --life 3", "demo takes no --life"),
        ("demo --function /f --colour", "--colour"),
        ("demo --function", "--function"),
        ("invoke --function /f", "--event or --parameters is missing"),
        (
            "invoke --function /f --event e --parameters {}",
            "--event or --parameters, not both",
        ),
        (
            "invoke --function /f --event e --context c --cluster u --token t",
            "--cluster or a kubeconfig, not both",
        ),
        ("demo --function /f --context c", "demo takes no --context"),
        ("invoke --function /f --event e --life 0", "from 1 to 900"),
        (
            "invoke --function /f --event e --life soon",
            "from 1 to 900",
        ),
        (
            "invoke --function /f --event e --cluster c",
            "--cluster needs --token",
        ),
        (
            "invoke --function /f --event e --cluster c --token t --token-file f",
            "not both",
        ),
        (
            "invoke --function /f --event e --token t",
            "--token needs --cluster",
        ),
        (
            "invoke --function /f --event e --cluster c --token-file /nowhere",
            "/nowhere",
        ),
        (
            "invoke --function /f --event e --ca f",
            "--ca needs --cluster",
        ),
        ("demo --function /f --token t", "demo takes no --token"),
        ("demo --function /f --raw", "demo takes no --raw"),
        (
            "measure --function /f --rounds 0",
            "--rounds takes a number",
        ),
        ("measure --function /f --pods 0", "--pods takes a number"),
        ("demo --function /f --act 10", "--act takes a number"),
        ("measure --function /f --act 1", "measure takes no --act"),
        ("demo --function /f --pods 1", "demo takes no --pods"),
        ("serve --function /f", "serve takes no --function"),
    ];
    for (line, text) in cases {
        let problem = parse(line).unwrap_err();
        assert!(problem.contains(text), "{line}: {problem}");
    }
}
