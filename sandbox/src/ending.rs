//! How a program of the sandbox ends: what the shell is told, and what interrupts it.

/// The command line or its surroundings are wrong.
pub const USAGE_ERROR: u8 = 2;
/// Ended by a signal, as shells tell it.
pub const INTERRUPTED: u8 = 130;

/// Waits for Ctrl-C or a request to end.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await.is_some(),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
