//! The one retry policy: of calls to the cluster, to S3 and, as the SDK is configured by it, to SSM
//! and CodePipeline. Pure: the time that is left and the random number come from the caller.

use std::time::Duration;

/// Attempts of a call that fails in a way that may pass. With 3 s to connect and the pauses it
/// takes some 25 s until a host that drops every packet is given up.
pub const ATTEMPTS: u32 = 6;

/// Attempts of a call that the server itself asks to repeat later: it is alive and counts on it.
pub const ATTEMPTS_WHEN_ASKED: u32 = 12;

/// The longest first pause; doubled each time.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause that nobody asked for. All pauses together are 7.5 s at most: less than the
/// time that is kept for a report.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The longest pause that a server may ask for.
pub const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// A failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failure {
    /// Another attempt cannot help.
    Permanent,
    /// Another attempt may, after the pause that the server asks for, if it does.
    Transient(Option<Duration>),
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Another attempt, after this pause.
    Retry(Duration),
    /// The failure is the outcome.
    GiveUp,
    /// Another attempt would help, and would come too late.
    OutOfTime,
}

/// Decides after so many `attempts`, with so much time `left`. `random` is from 0 to 1: what was
/// throttled together must not come back together.
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

/// Whether an HTTP status tells of a failure that may pass: too much was asked, or the server or a
/// proxy before it broke.
pub fn is_transient(status: u16) -> bool {
    status == 429 || status >= 500
}

/// The pause that a `Retry-After` asks for. A date in its place, which neither Kubernetes nor AWS
/// sends, counts as none.
pub fn asked(retry_after: Option<&str>) -> Option<Duration> {
    let seconds = retry_after?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
