//! The retry policy for calls to the cluster, to S3 and, through the SDK's configuration, to SSM
//! and CodePipeline. It is pure: the caller passes the remaining time and a random number.

use std::time::Duration;

/// The number of attempts after temporary failures. With 3 s per connection and the pauses, a host
/// that drops every packet fails after about 25 s.
pub const ATTEMPTS: u32 = 6;

/// The number of attempts if the server asks for a later retry: the server is alive and expects it.
pub const ATTEMPTS_WHEN_ASKED: u32 = 12;

/// The longest first pause; it doubles each time.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause that no server asked for. All pauses together are at most 7.5 s: less than the
/// time reserved for a report.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The longest pause that a server may ask for.
pub const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// A failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failure {
    /// A retry cannot help.
    Permanent,
    /// A retry may help, after the pause that the server asks for, if any.
    Transient(Option<Duration>),
}

/// The next step after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Retry after this pause.
    Retry(Duration),
    /// Report the failure.
    GiveUp,
    /// A retry would help, but would be too late.
    OutOfTime,
}

/// Decides after `attempts` attempts, with `left` time. `random` is between 0 and 1: clients that
/// were throttled together must not retry together.
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>
pub fn next(failure: Failure, attempts: u32, left: Duration, random: f64) -> Next {
    let Failure::Transient(asked) = failure else {
        return Next::GiveUp;
    };
    if attempts >= asked.map_or(ATTEMPTS, |_| ATTEMPTS_WHEN_ASKED) {
        return Next::GiveUp;
    }
    let pause = match asked {
        Some(asked) => asked.clamp(FIRST_PAUSE, LONGEST_ASKED),
        None => longest_pause(attempts).mul_f64(random),
    };
    match pause < left {
        true => Next::Retry(pause),
        false => Next::OutOfTime,
    }
}

fn longest_pause(attempts: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

/// Whether an HTTP status means a temporary failure: too many requests, or the server or a proxy
/// has an error.
pub fn is_transient(status: u16) -> bool {
    status == 429 || status >= 500
}

/// The pause that a `Retry-After` asks for. Neither Kubernetes nor AWS sends a date there, so a
/// date counts as none.
pub fn asked(retry_after: Option<&str>) -> Option<Duration> {
    let seconds = retry_after?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
