use super::*;
use crate::state::timeline::Mark;

fn longest() -> Continuation {
    let at: Timestamp = "2026-01-01T00:00:00.123456789Z".parse().expect("a time");
    Continuation {
        job: "1".repeat(36),
        started: at,
        deadline: at,
        unreachable_since: Some(at),
        server: None,
        files: Some("f".repeat(16)),
        unsure: true,
        sights: SymptomHistory::default(),
        steady: None,
        guard: Guard {
            serving_since: Some(at),
            since: Some(at),
            letters: "o".repeat(10),
            newest: Some(at),
            unreadable_since: Some(at),
            ..Guard::default()
        },
        warnings: Vec::new(),
        timeline: None,
        phase: Phase::Rollback(Rollback {
            written: WriteReceipt {
                uid: "u".repeat(36),
                generation: i64::MAX,
                template: "f".repeat(16),
                at,
                stale_deadline: Some(at.to_string()),
                selector: String::new(),
                wanted: Some(i64::MAX),
                had: 0,
                gone: None,
            },
            revision: u64::MAX,
            failure: RecordedFailure {
                kind: Some(Cause::ContainerNotCreated),
                ..RecordedFailure::of(&"c".repeat(CAUSE_LIMIT))
            },
            deadline: at,
        }),
    }
}

#[test]
fn a_token_brings_everything_back() {
    for phase in [Phase::Start, longest().phase] {
        let state = Continuation { phase, ..longest() };
        let token = state.encode("request");
        assert_eq!(Continuation::decode(&token, "request"), Ok(state));
    }
}

#[test]
fn a_token_carries_as_much_evidence_as_fits() {
    let lines = |count: usize| (0..count).map(|n| format!("{n} says \"no\"")).collect();
    let mut state = longest();
    let Phase::Rollback(rollback) = &mut state.phase else {
        panic!("it is a rollback")
    };
    rollback.failure.cause = "it broke".into();
    rollback.failure.evidence = Evidence {
        pods: lines(9),
        events: lines(9),
        log: lines(21),
        ..Evidence::default()
    };
    let token = state.encode("request");
    assert!(token.len() <= TOKEN_LIMIT, "{}", token.len());
    let Ok(Continuation {
        phase: Phase::Rollback(back),
        ..
    }) = Continuation::decode(&token, "request")
    else {
        panic!("it comes back")
    };
    assert_eq!(back.failure.cause, "it broke");
    let log = &back.failure.evidence.log;
    assert_eq!(log.last().unwrap(), "20 says \"no\"");
    assert_eq!(log[0], "0 says \"no\"", "the heading");
}

#[test]
fn the_longest_token_fits() {
    assert!(longest().encode("request").len() <= TOKEN_LIMIT);
    let Phase::Rollback(rollback) = longest().phase else {
        unreachable!("it is a rollback")
    };
    let rollout = Continuation {
        phase: Phase::Rollout(Rollout {
            written: rollback.written,
            wrote: false,
            changed_since: false,
            previous: Some(Previous {
                name: "n".repeat(253),
                revision: u64::MAX,
            }),
        }),
        ..longest()
    };
    assert!(rollout.encode("request").len() <= TOKEN_LIMIT);
    let at = rollout.started;
    let sights = SymptomHistory {
        last: Some(at),
        seen: vec![(Cause::ContainerNotCreated, at); 30],
        ..SymptomHistory::default()
    };
    let ill = Continuation { sights, ..rollout };
    let token = ill.encode("request");
    assert!(token.len() <= TOKEN_LIMIT);
    let read = Continuation::decode(&token, "request").expect("it is whole");
    assert!(read.sights.seen.len() >= 5, "{:?}", read.sights);
}

/// A workload that is deleted is told with less then.
#[test]
fn a_selector_gives_way_to_the_cause() {
    let with = |selector: &str| {
        let mut state = longest();
        let Phase::Rollback(rollback) = &mut state.phase else {
            panic!("the longest state is that of a rollback")
        };
        rollback.written.selector = selector.to_owned();
        state
    };
    let token = with(&"s".repeat(200)).encode("request");
    assert!(token.len() <= TOKEN_LIMIT);
    let read = Continuation::decode(&token, "request").expect("it is whole");
    assert_eq!(read.phase, with("").phase);
}

#[test]
fn a_timeline_comes_back_and_gives_way_to_what_a_deploy_needs() {
    let mut timeline = Timeline {
        versions: vec![("n".repeat(63), "i".repeat(63)); 4],
        points: (0..60).map(|n| vec![n, n * 1000, n, n, n]).collect(),
        marks: vec![(12_345, Mark::Phase("rollback".into())); 40],
        ..Timeline::default()
    };
    let state = Continuation {
        timeline: Some(timeline.clone()),
        ..longest()
    };
    let token = state.encode("request");
    assert!(token.len() <= TOKEN_LIMIT, "{}", token.len());
    let read = Continuation::decode(&token, "request").expect("it is whole");
    assert!(read.timeline.expect("it is kept").is_thinned);
    assert_eq!(read.phase, state.phase, "its cause is whole");
    timeline.versions.truncate(2);
    timeline.points = (0..12).map(|n| vec![n, 3, n]).collect();
    timeline.marks.truncate(3);
    let short = Continuation {
        phase: Phase::Switch,
        timeline: Some(timeline),
        ..longest()
    };
    let read = Continuation::decode(&short.encode("request"), "request");
    assert_eq!(read, Ok(short));
}

#[test]
fn a_cause_that_json_writes_at_length_is_cut_to_fit() {
    for character in ["\"", "\\", "\u{1}", "ü"] {
        let mut state = longest();
        let Phase::Rollback(rollback) = &mut state.phase else {
            unreachable!("it is a rollback")
        };
        rollback.failure.cause = character.repeat(CAUSE_LIMIT / character.len());
        let token = state.encode("request");
        assert!(token.len() <= TOKEN_LIMIT, "{character:?}");
        let read = Continuation::decode(&token, "request").expect("it is whole");
        let Phase::Rollback(rollback) = read.phase else {
            unreachable!("it is a rollback")
        };
        assert!(rollback.failure.cause.starts_with(character));
    }
}

#[test]
fn a_switch_fits_and_comes_back() {
    let Phase::Rollback(rollback) = longest().phase else {
        unreachable!("it is a rollback")
    };
    let evidence = Evidence {
        pods: vec!["p".repeat(300); 5],
        events: vec!["e".repeat(300); 8],
        log: vec!["l".repeat(240); 20],
        ..Evidence::default()
    };
    let back = |cause: String| {
        Phase::SwitchRollback(RecordedFailure {
            cause,
            kind: rollback.failure.kind,
            evidence: evidence.clone(),
            reason: None,
        })
    };
    let short = || back("it broke".into());
    for phase in [
        back(rollback.failure.cause.clone()),
        back("\u{1}".repeat(CAUSE_LIMIT)),
    ] {
        let state = Continuation { phase, ..longest() };
        let token = state.encode("request");
        assert!(token.len() <= TOKEN_LIMIT);
        assert!(Continuation::decode(&token, "request").is_ok());
    }
    let state = Continuation {
        phase: short(),
        ..longest()
    };
    let read = Continuation::decode(&state.encode("request"), "request").unwrap();
    assert!(matches!(read.phase, Phase::SwitchRollback(back) if back.cause == "it broke"));
    let state = Continuation {
        phase: Phase::Switch,
        ..longest()
    };
    assert_eq!(Continuation::decode(&state.encode("r"), "r"), Ok(state));
}

#[test]
fn a_token_of_another_request_is_foreign() {
    let token = longest().encode("request");
    assert_eq!(
        Continuation::decode(&token, "other"),
        Err(ContinuationError::Foreign)
    );
}

#[test]
fn a_token_of_another_version_says_so() {
    let token = longest().encode("r").replacen("-1.", "-2.", 1);
    assert_eq!(
        Continuation::decode(&token, "r"),
        Err(ContinuationError::Version("2".into()))
    );
}

#[test]
fn no_single_change_of_a_token_goes_unnoticed() {
    let token = longest().encode("request");
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(
            Continuation::decode(&changed, "request").is_err(),
            "{place}"
        );
        assert!(
            Continuation::decode(&token[..place], "request").is_err(),
            "{place}"
        );
    }
    for hostile in [
        "",
        ".",
        "landfall-1",
        "landfall-1..",
        "landfall-1.e30.",
        "{\"a\":1}",
    ] {
        assert_eq!(
            Continuation::decode(hostile, "request"),
            Err(ContinuationError::Damaged)
        );
    }
}

/// A token that the version before wrote, in the middle of a rollback.
#[test]
fn the_cause_of_a_rollback_keeps_its_place_in_the_token() {
    let phase = r#"{"written":{"uid":"u","generation":7,"template":"t",
        "at":"2026-01-01T00:00:00Z"},"revision":6,"cause":"it broke","kind":"crash",
        "evidence":{"pods":["one"]},"reason":{"refused":403},"deadline":"2026-01-01T00:15:00Z"}"#;
    let read: Rollback = serde_json::from_str(phase).expect("it is read");
    assert_eq!(read.failure.cause, "it broke");
    assert_eq!(read.failure.kind, Some(Cause::Crash));
    assert_eq!(read.failure.evidence.pods, ["one"]);
    assert_eq!(read.failure.reason, Some(Reason::Refused(403)));
    let written: serde_json::Value = serde_json::to_value(&read).expect("it is written");
    let before: serde_json::Value = serde_json::from_str(phase).expect("it is JSON");
    assert_eq!(written, before);
}

#[test]
fn a_deploy_belongs_to_the_server_where_it_wrote_and_may_move_before() {
    let start = Timestamp::UNIX_EPOCH;
    let mut continuation = Continuation::begin("job", start, std::time::Duration::from_secs(60));
    let (first, second) = ("https://10.0.0.1:6443", "https://10.0.0.2:6443");
    for address in [first, second, first, second] {
        assert!(continuation.belongs_to(address));
    }
    continuation.unsure = true;
    assert!(continuation.belongs_to(second));
    assert!(!continuation.belongs_to(first));
    assert!(continuation.belongs_to(second));
}

#[test]
fn a_deploy_is_bound_to_the_files_that_it_was_begun_with() {
    let begin = || {
        Continuation::begin(
            "call-1",
            Timestamp::UNIX_EPOCH,
            std::time::Duration::from_secs(60),
        )
    };
    let mut repeatable = begin();
    assert!(repeatable.has_files("aa".to_owned(), true));
    assert_eq!(repeatable.job, "call-1-aa");
    let token = repeatable.encode("request");
    let mut next = Continuation::decode(&token, "request").unwrap();
    assert!(next.has_files("aa".to_owned(), true));
    assert_eq!(next.job, "call-1-aa");
    assert!(!next.has_files("bb".to_owned(), true));
    let mut single = begin();
    assert!(single.has_files("aa".to_owned(), false));
    assert_eq!(single.job, "call-1");
    // One of an earlier version of the function, which has written already.
    let mut begun = begin();
    begun.unsure = true;
    assert!(begun.has_files("aa".to_owned(), true));
    assert_eq!(begun.job, "call-1");
}
