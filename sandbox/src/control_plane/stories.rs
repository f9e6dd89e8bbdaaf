//! Prints a test run as a list: one line for each story and its peer.

use crate::cluster::Cluster;
use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Story modules with another peer than the cluster.
const PEERS: [(&str, &str); 4] = [
    ("authenticator", "IAM authenticator"),
    ("aws_cli", "AWS CLI"),
    ("emulator", "Lambda emulator"),
    ("moto", "moto"),
];

/// Runs the command and prints its output, with test lines in our format.
pub(crate) async fn run(
    program: &OsString,
    arguments: &[OsString],
    cluster: &Cluster,
) -> Result<ExitStatus, String> {
    let problem = |error: std::io::Error| format!("{}: {error}", program.display());
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .envs(cluster.environment())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(problem)?;
    let output = child.stdout.take().expect("it is a pipe");
    let mut lines = BufReader::new(output).lines();
    let kubernetes = match std::env::var("LANDFALL_STORIES_BY").as_deref() {
        Ok("iam") => "Kubernetes by IAM".to_owned(),
        _ => format!("Kubernetes {}", cluster.version),
    };
    while let Some(text) = lines.next_line().await.map_err(problem)? {
        println!("{}", line(&text, &kubernetes).unwrap_or(text));
    }
    child.wait().await.map_err(problem)
}

/// Formats `test rolling::an_image_is_rolled_out ... ok` for people; `None` for other lines.
fn line(text: &str, kubernetes: &str) -> Option<String> {
    let (name, result) = text.strip_prefix("test ")?.split_once(" ... ")?;
    // An ignored test has a reason: `test x - should … ... ignored, reason`.
    let (module, story) = name.split_once("::")?;
    let peer = PEERS.iter().find(|(prefix, _)| *prefix == module);
    let peer = peer.map_or(kubernetes, |(_, peer)| peer);
    let story = story.replace("::", ": ").replace('_', " ");
    Some(format!("{peer:<20} {module:<13} {story:<82} {result}"))
}

#[cfg(test)]
mod tests;
