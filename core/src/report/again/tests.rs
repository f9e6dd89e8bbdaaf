use super::*;

#[test]
fn a_new_version_is_asked_for_only_where_the_same_one_cannot_serve() {
    for (topic, retry, release) in [
        (Topic::Quota, true, false),
        (Topic::Webhook, true, false),
        (Topic::TokenRefused, true, false),
        (Topic::Forbidden, true, false),
        (Topic::ClusterUnavailable, true, false),
        (Topic::ControllerSilent, true, false),
        (Topic::Policy, true, true),
        (Topic::NoProgress, true, true),
        (Topic::Smoke, false, true),
        (Topic::ObjectRefused, false, true),
        (Topic::Pods(Cause::NodeTrouble), true, false),
        (Topic::Pods(Cause::PullFails), true, false),
        (Topic::Pods(Cause::ImageNotFound), true, true),
        (Topic::Pods(Cause::ConfigMissing), true, true),
        (Topic::Pods(Cause::Unschedulable), true, true),
        (Topic::Pods(Cause::Crash), false, true),
        (Topic::Pods(Cause::NotReady), false, true),
        (Topic::Pods(Cause::ImagePlatform), false, true),
    ] {
        let next = after(topic);
        assert_eq!(next.contains("etry the stage"), retry, "{topic:?}: {next}");
        let releases = next.contains("release the change again");
        assert_eq!(releases, release, "{topic:?}: {next}");
    }
}
