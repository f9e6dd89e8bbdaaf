use super::*;

#[test]
fn the_help_fits_a_terminal_and_has_every_option() {
    for line in HELP.lines() {
        assert!(line.chars().count() <= 84, "{line}");
    }
    for option in [
        "--eks-cluster",
        "--role",
        "--eks-role",
        "--kubeconfig-out",
        "--kubeconfig-parameter",
        "--client-certificates",
        "--context",
        "--kubeconfig",
        "--namespace",
        "--switching",
        "--rotation",
        "--for-account",
        "--replace",
        "--manifests",
        "--token-lifetime",
        "--token-parameter",
        "--ca-parameter",
        "--key-arn",
        "--region",
        "--profile",
        "--apply",
        "--for",
        "--release",
        "--prune",
        "--no-rollback",
    ] {
        assert!(HELP.contains(option), "{option}");
    }
}
