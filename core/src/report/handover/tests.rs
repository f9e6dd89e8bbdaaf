use super::*;
use std::time::Duration;

fn front(balancer: Balancer) -> Why {
    Why::Front(Front {
        object: ("TargetGroupBinding".to_owned(), "k8s-web".to_owned()),
        balancer,
    })
}

fn overlap(why: Why) -> Handover {
    Handover {
        seconds: Some(Duration::from_secs(90).as_secs()),
        why,
    }
}

#[test]
fn an_overlap_says_how_long_and_why() {
    assert_eq!(
        done(&overlap(Why::Asked)),
        " Both versions served for 1 min 30 s before the previous one left (`handover`)."
    );
    assert_eq!(
        done(&overlap(front(Balancer::Application))),
        " Both versions served for 1 min 30 s before the previous one left, so that the \
         Application Load Balancer sees the new pods healthy first (TargetGroupBinding `k8s-web`)."
    );
    assert_eq!(
        planned(&overlap(front(Balancer::Network))),
        " Both versions would serve for 1 min 30 s before the previous one leaves, so that the \
         Network Load Balancer sees the new pods healthy first (TargetGroupBinding `k8s-web`)."
    );
}

#[test]
fn a_cut_says_why_where_the_user_does_not_know() {
    assert_eq!(done(&Handover::cut(Why::Asked)), "");
    let told = planned(&Handover::cut(Why::Asked));
    assert_eq!(told, " It would be switched at once (`handover`).");
    let told = done(&Handover::cut(Why::NoFront));
    assert!(
        told.contains("as no load balancer of AWS with pods"),
        "{told}"
    );
    let unreadable = Why::Unreadable(vec!["ingresses.networking.k8s.io".to_owned()]);
    let told = done(&Handover::cut(unreadable));
    assert!(
        told.contains("may not list `ingresses.networking.k8s.io`"),
        "{told}"
    );
    assert!(told.contains("set `handover`"), "{told}");
    let told = planned(&Handover::cut(Why::Others("cron-1".to_owned())));
    assert!(told.contains("also finds pod `cron-1`"), "{told}");
    let told = done(&Handover::cut(Why::Left("web-blue".to_owned())));
    assert!(
        told.contains("`web-blue` could not be scaled down"),
        "{told}"
    );
    let told = done(&Handover::cut(Why::NoLabel));
    assert!(told.contains("nothing but the version"), "{told}");
}
