//! The way in by a kubeconfig, by a real `kubectl` and a real control plane.

use super::desk::Desk;
use landfall_core::kubeconfig::{Kubeconfig, KubeconfigUser};
use std::fs;

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn the_kubeconfig_that_is_made_opens_the_cluster() {
    let desk = Desk::new().await;
    let before = desk.state().await;
    let file = desk.folder.join("landfall.kubeconfig");
    let path = file.display().to_string();
    let words = ["--kubeconfig-out", &path, "--switching"];
    desk.run(&words).well(&[
        "as its ServiceAccount",
        "secret/landfall-token would be created",
        "Nothing was changed. To do it, add --apply.",
    ]);
    assert_eq!(desk.state().await, before);
    let apply = [&words[..], &["--apply"]].concat();
    let knows = "knows who it is, and it may";
    let said = desk
        .run(&apply)
        .well(&[knows, "and fits a standard SSM parameter"]);
    let text = fs::read_to_string(&file).unwrap();
    let selected = Kubeconfig::read(&text).unwrap().select(None).unwrap();
    assert_eq!(selected.server.address, desk.namespace().url);
    let KubeconfigUser::Token(token) = selected.user else {
        panic!("no token");
    };
    let commands = fs::read_to_string(desk.folder.join("commands")).unwrap();
    for text in [&said.output, &commands] {
        assert!(!text.contains(token.reveal()), "{text}");
    }
    let after = desk.state().await;
    desk.run(&apply)
        .well(&["it is there already, and is left", knows]);
    assert_eq!(desk.state().await, after);
}
