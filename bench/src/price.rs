//! The price of a deploy at AWS, from published prices. It excludes free tiers, and what is the
//! same for all candidates: the pipeline, its logs, the parameter.

/// The date of the prices; see the pages for current ones.
pub(crate) const DATE: &str = "November 2026";
/// The sources of the prices. Region us-east-1, on demand, USD.
pub(crate) const SOURCES: [&str; 2] = [
    "https://aws.amazon.com/lambda/pricing/",
    "https://aws.amazon.com/codebuild/pricing/",
];

/// The price of a request to a function.
const LAMBDA_REQUEST: f64 = 0.20 / 1_000_000.0;
/// The price of a GB-second on arm64, on which all candidates can run.
const LAMBDA_GIGABYTE_SECOND: f64 = 0.000_013_333_4;
/// The price of a started minute of general1.small.
const CODEBUILD_MINUTE: f64 = 0.005;

/// The seconds that CodeBuild took to place a build and to fetch its source in a published log
/// (2021): <https://blog.kriation.com/2021/codebuild-cache-for-jekyll-build.html>.
pub(crate) const BEFORE_BUILD: f64 = 24.0 + 4.0;

/// The price of one invocation. Its start is included, since August 2025 for every kind of
/// function: <https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/>
pub(crate) fn invocation(megabytes: u32, milliseconds: f64) -> f64 {
    // AWS bills started milliseconds.
    let seconds = milliseconds.ceil() / 1000.0;
    LAMBDA_REQUEST + f64::from(megabytes) / 1024.0 * seconds * LAMBDA_GIGABYTE_SECOND
}

/// The price of one build whose commands take so many seconds. What comes before them is billed as
/// well.
pub(crate) fn build(seconds: f64) -> f64 {
    ((BEFORE_BUILD + seconds) / 60.0).ceil() * CODEBUILD_MINUTE
}

#[cfg(test)]
mod tests;
