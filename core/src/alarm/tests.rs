use super::model::link;
use super::*;
use crate::tests::at;

fn alarm(state: AlarmState, transitioned: u64) -> Alarm {
    Alarm {
        name: "5xx".into(),
        state,
        transitioned: Some(at(transitioned)),
        reason: "Threshold Crossed".into(),
        arn: Some("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:web 5xx/α:b".into()),
        window: None,
    }
}

#[test]
fn an_alarm_is_judged_by_its_last_change_of_state() {
    use AlarmState::{NoData, Ok, Ringing};
    // What was known and the newest change then, the state now and when it changed, what follows.
    // The deploy began at 100.
    let rows = [
        (None, Ok, 50, Known::Quiet),
        (None, NoData, 50, Known::NoData),
        (None, Ringing, 50, Known::RangBefore),
        // Its first reading was lost, and it changed while the deploy was at work.
        (None, Ringing, 110, Known::Rang),
        (None, Ok, 110, Known::Quiet),
        (Some((Known::Quiet, 50)), Ok, 50, Known::Quiet),
        (Some((Known::Quiet, 50)), Ringing, 110, Known::Rang),
        (Some((Known::Quiet, 50)), NoData, 110, Known::NoData),
        // In between.
        (Some((Known::Quiet, 50)), Ok, 120, Known::Rang),
        (Some((Known::Patchy, 50)), Ok, 120, Known::Patchy),
        (Some((Known::NoData, 50)), Ok, 120, Known::Patchy),
        (Some((Known::NoData, 50)), NoData, 120, Known::NoData),
        (Some((Known::NoData, 50)), Ringing, 120, Known::Rang),
        (Some((Known::Patchy, 50)), Ringing, 120, Known::Rang),
        (
            Some((Known::RangBefore, 50)),
            Ringing,
            50,
            Known::RangBefore,
        ),
        (Some((Known::RangBefore, 50)), Ok, 120, Known::Quiet),
        (
            Some((Known::RangBefore, 50)),
            NoData,
            120,
            Known::NoDataRangBefore,
        ),
        (
            Some((Known::NoDataRangBefore, 120)),
            NoData,
            120,
            Known::NoDataRangBefore,
        ),
        // It had lost its data, and never been silent.
        (
            Some((Known::NoDataRangBefore, 120)),
            Ringing,
            130,
            Known::RangBefore,
        ),
        (Some((Known::NoDataRangBefore, 120)), Ok, 130, Known::Patchy),
        (Some((Known::RangBefore, 50)), Ringing, 120, Known::Rang),
        (Some((Known::Rang, 50)), Ok, 120, Known::Rang),
        (Some((Known::Rang, 50)), NoData, 120, Known::Rang),
    ];
    for (before, state, transitioned, expected) in rows {
        let before = before.map(|(letter, newest)| (letter, at(newest)));
        let found = judged(before, &alarm(state, transitioned), at(100));
        assert_eq!(found, expected, "{before:?} {state:?} {transitioned}");
    }
    // CloudWatch may leave the time out.
    let untimed = |state| Alarm {
        transitioned: None,
        ..alarm(state, 0)
    };
    let quiet = Some((Known::Quiet, at(50)));
    assert_eq!(judged(quiet, &untimed(Ok), at(100)), Known::Quiet);
    assert_eq!(judged(quiet, &untimed(Ringing), at(100)), Known::Rang);
    assert_eq!(judged(None, &untimed(Ringing), at(100)), Known::RangBefore);
}

#[test]
fn letters_are_read_as_they_are_written() {
    for letter in "opnbmr".chars() {
        assert_eq!(Known::of(letter).unwrap().letter(), letter);
    }
    assert_eq!(Known::of('O'), None);
}

#[test]
fn a_ring_has_its_graph() {
    let ring = Ring::of(&alarm(AlarmState::Ringing, 110));
    assert_eq!(
        ring.link.as_deref(),
        Some(
            "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1\
             #alarmsV2:alarm/web%205xx%2F%CE%B1%3Ab"
        )
    );
    assert_eq!((ring.since, ring.is_over), (Some(at(110)), false));
    for (partition, domain) in [
        ("aws-cn", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "cn-north-1.console.amazonaws-us-gov.com"),
    ] {
        let arn = format!("arn:{partition}:cloudwatch:cn-north-1:111122223333:alarm:a");
        assert!(link(&arn).unwrap().contains(domain));
    }
    for odd in ["", "arn:aws:cloudwatch", "a:b:c:d:e:f"] {
        assert_eq!(link(odd), None, "{odd}");
    }
}

#[test]
fn a_name_that_did_not_come_is_missing() {
    let names = ["5xx".to_owned(), "latency".to_owned()];
    let came = [alarm(AlarmState::Ok, 0)];
    assert_eq!(missing(&names, &came), [names[1].clone()]);
    assert!(missing(&names[..1], &came).is_empty());
}
