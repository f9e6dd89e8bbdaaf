//! What once went wrong, aimed at the calls at which it did.

use super::disturbance::*;
use super::outcome::{all_is_well, finish};
use super::play::{Aim, Simulation};
use super::setting::*;

/// What once went wrong, by the defect that it showed.
pub fn regressions() -> Vec<(&'static str, Setting, Vec<Aim>)> {
    let setting = |immutable, start, scaled, health| Setting {
        immutable,
        route: None,
        start,
        scaled,
        smoke: scaled,
        health,
        locked: Locked::No,
        overlap: false,
        watched: false,
    };
    vec![
        (
            "it switched back to a Deployment that was just scaled to zero",
            setting(false, Start::Third, false, Well),
            vec![
                (&["PATCH", "/deployments/", r#""replicas":0"#], Retried),
                (&["GET"], Refused),
            ],
        ),
        (
            "a version that fell ill stayed, as its deploy died and the stage was retried",
            setting(false, Start::Third, false, FallsIll),
            vec![(
                &["PATCH", "/services/demo-app", "landfall/from"],
                AgainAfter,
            )],
        ),
        (
            "a candidate that could not be cleaned up ran on, and nobody was told",
            setting(true, Start::Third, false, Doomed),
            vec![(&["PATCH", "/deployments/", r#""replicas":0"#], Refused)],
        ),
        (
            "and kept the Service narrowed until the limit of the return",
            setting(true, Start::Adoption, false, Doomed),
            vec![(&["PATCH", "/deployments/", r#""replicas":0"#], Refused)],
        ),
        (
            "an adoption that had waited for a lock was refused while somebody scaled",
            Setting {
                locked: Locked::Live,
                ..setting(false, Start::Adoption, false, Well)
            },
            vec![(&["wait"], Retried), (&["GET", "/replicasets"], Scaled)],
        ),
        (
            "an adoption was refused while an autoscaler was at work",
            setting(false, Start::Adoption, true, Well),
            vec![(&["GET", "/services/demo-app"], Scaled)],
        ),
        (
            "a read from before the lock ended the way back, and all of it stayed",
            setting(false, Start::Third, false, Well),
            vec![
                (&["PUT ", "/deployments/"], Refused),
                (&["GET", "/services/demo-app"], Stale),
            ],
        ),
        (
            "an autoscaler that had its own floor again was taken for somebody who holds it down",
            setting(true, Start::Adoption, true, Slow),
            vec![
                (&["POST", "landfall/preview-of"], Scaled),
                (&["PATCH", "autoscalers", r#"min-replicas":null"#], Retried),
                (&["GET", "/services/demo-app"], Replayed),
            ],
        ),
        (
            "the plain one was up, nobody sent to it, and the next deploy refused to begin",
            setting(false, Start::Adoption, false, Well),
            vec![
                (
                    &[
                        "PATCH",
                        "/services/demo-app",
                        r#""landfall/retiring":"true""#,
                    ],
                    Retried,
                ),
                (&["GET", "/pods"], Refused),
                (&["GET"], ScaledAway),
            ],
        ),
        (
            "the previous version ran on, and a repeated event said that it was scaled to zero",
            setting(true, Start::Third, false, Well),
            vec![
                (&["PATCH", "/deployments/", r#""replicas":0"#], Refused),
                (
                    &["PATCH", "/services/demo-app", r#""landfall/lock":null"#],
                    DiesAfter,
                ),
            ],
        ),
        (
            "the version asked for was scaled to zero, and its endpoints were waited for",
            Setting {
                watched: true,
                ..setting(false, Start::Adoption, false, Well)
            },
            vec![
                (
                    &["PATCH", "/services/demo-app", r#""landfall/lock":null"#],
                    ScaledAway,
                ),
                (&["GET", "/deployments/"], AgainBefore),
            ],
        ),
        (
            "the Service was widened while pods of the version taken back, of which watches had not told, were ready",
            Setting {
                smoke: true,
                watched: true,
                ..setting(false, Start::Adoption, false, FailsSmoke)
            },
            vec![(&["wait"], HeldBack)],
        ),
        (
            "a rollback that died after it had taken a dead deploy back did not know that any more",
            Setting {
                locked: Locked::Live,
                ..setting(true, Start::Back, false, Well)
            },
            vec![(
                &["PATCH", "/services/demo-app", r#""landfall/lock":null"#],
                AgainBefore,
            )],
        ),
        (
            "a rollback that had taken a dead deploy back said that someone else had changed it",
            Setting {
                locked: Locked::Live,
                watched: true,
                ..setting(false, Start::Back, false, Well)
            },
            vec![
                (
                    &["PATCH", "/services/demo-app", r#""landfall/lock":null"#],
                    AnswerLost,
                ),
                (&["GET", "/endpointslices"], Refused),
            ],
        ),
        (
            "a write that came too late was decided again by watches that were held back",
            Setting {
                watched: true,
                ..setting(true, Start::Back, false, FallsIll)
            },
            [(&["wait"] as &[_], Retried); 6]
                .into_iter()
                .chain([(&["wait"] as &[_], HeldBack)])
                .chain([(&["GET", "/pods"] as &[_], ServiceAnew)])
                .collect(),
        ),
        (
            "the time for which a version was scaled away counted as its bake",
            setting(true, Start::Third, true, FallsIll),
            vec![
                (
                    &["PATCH", "/services/demo-app", r#""landfall/from""#],
                    ScaledAway,
                ),
                (&["GET", "/services/demo-app"], DiesBefore),
            ],
        ),
        (
            "pods that could not be read once, when the deadline was over, had no cause",
            setting(false, Start::Adoption, false, Doomed),
            vec![(&["wait"], DiesBefore), (&["GET", "/pods"], Unavailable)],
        ),
        (
            "who waited for a dead one's lock had seconds left, and its version did not serve",
            setting(false, Start::Adoption, false, Well),
            [
                (&["POST", "/deployments"] as &[_], OtherAfter),
                // Half a minute passes, so that the lock ends right before the timeout.
            ]
            .into_iter()
            .chain([(&["wait"] as &[_], Retried); 7])
            .chain([(&["wait"] as &[_], OtherBefore)])
            .collect(),
        ),
    ]
}

#[test]
fn what_went_wrong_before() {
    for (name, setting, aims) in regressions() {
        let mut simulation = Simulation::new(setting);
        simulation.aims = aims;
        let missed = finish(simulation).missed;
        assert_eq!(missed, [], "{name}: it does not happen any more");
    }
    all_is_well();
}
