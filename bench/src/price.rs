//! What a deploy costs at AWS, by published prices. Free tiers are left out, and so is what every
//! candidate has alike: the pipeline, its logs, the parameter.

/// When the prices were looked up; the pages themselves say what holds today.
pub(crate) const DATE: &str = "November 2026";
/// Where they stand. Region us-east-1, on demand, USD.
pub(crate) const SOURCES: [&str; 2] = [
    "https://aws.amazon.com/lambda/pricing/",
    "https://aws.amazon.com/codebuild/pricing/",
];

/// A request to a function, whatever it takes.
const LAMBDA_REQUEST: f64 = 0.20 / 1_000_000.0;
/// A GB-second on arm64, where all the candidates can run.
const LAMBDA_GIGABYTE_SECOND: f64 = 0.000_013_333_4;
/// A minute of general1.small; every minute that was begun counts.
const CODEBUILD_MINUTE: f64 = 0.005;

/// One invocation. Its start counts as well, since August 2025 for every kind of function:
/// <https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/>
pub(crate) fn invocation(megabytes: u32, milliseconds: f64) -> f64 {
    // Billed by the millisecond, each that was begun.
    let seconds = milliseconds.ceil() / 1000.0;
    LAMBDA_REQUEST + f64::from(megabytes) / 1024.0 * seconds * LAMBDA_GIGABYTE_SECOND
}

/// One build, of which some time is not ours: to fetch its image and its source.
pub(crate) fn build(seconds: f64) -> f64 {
    (seconds / 60.0).ceil().max(1.0) * CODEBUILD_MINUTE
}

#[cfg(test)]
mod tests;
