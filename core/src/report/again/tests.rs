use super::*;

#[test]
fn a_new_version_is_asked_for_only_where_the_same_one_cannot_serve() {
    for (code, retry, release) in [
        (FailureCode::Quota, true, false),
        (FailureCode::Webhook, true, false),
        (FailureCode::TokenRefused, true, false),
        (FailureCode::Forbidden, true, false),
        (FailureCode::RoleRefused, true, false),
        (FailureCode::GroupMissing, true, false),
        (FailureCode::ClientCertificate, true, false),
        (FailureCode::AssumeRole, true, false),
        (FailureCode::ClusterUnavailable, true, false),
        (FailureCode::ControllerSilent, true, false),
        (FailureCode::Policy, true, true),
        (FailureCode::NoProgress, true, true),
        (FailureCode::Smoke, false, true),
        (FailureCode::ObjectRefused, false, true),
        (FailureCode::Pods(Cause::NodeTrouble), true, false),
        (FailureCode::Pods(Cause::PullFails), true, false),
        (FailureCode::Pods(Cause::ImageNotFound), true, true),
        (FailureCode::Pods(Cause::ConfigMissing), true, true),
        (FailureCode::Pods(Cause::Unschedulable), true, true),
        (FailureCode::Pods(Cause::PodFails), true, true),
        (FailureCode::JobFailed, true, true),
        (FailureCode::Pods(Cause::WebhookAway), true, false),
        (FailureCode::Pods(Cause::NoScheduler), true, true),
        (FailureCode::Pods(Cause::ImageRefused), true, true),
        (FailureCode::Pods(Cause::Crash), false, true),
        (FailureCode::Pods(Cause::NotReady), false, true),
        (FailureCode::Pods(Cause::ImagePlatform), false, true),
    ] {
        let next = after(code);
        assert_eq!(next.contains("etry the stage"), retry, "{code:?}: {next}");
        let releases = next.contains("release the change again");
        assert_eq!(releases, release, "{code:?}: {next}");
    }
}
