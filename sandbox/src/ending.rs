//! How a program of the sandbox ends: exit statuses and signals.

/// The exit status for a wrong command line or environment.
pub const USAGE_ERROR: u8 = 2;
/// The exit status after a signal, as in shells.
pub const INTERRUPTED: u8 = 130;

/// Waits for Ctrl-C or SIGTERM.
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
