//! `landfall-access` as a person runs it, with stand-ins for `kubectl` and the AWS CLI, and the
//! sandbox's API server where a token is tried.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::too_many_lines
)]

mod desk;
mod eks;
mod kubeconfig;
mod real;
mod release;

#[tokio::test]
async fn it_tells_its_version() {
    let desk = desk::Desk::new().await;
    let said = desk.run("--version");
    assert_eq!(said.code, Some(0));
    assert_eq!(
        said.output,
        concat!("landfall-access ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
