//! The account and the region of the local AWS.

/// The function's region.
pub const REGION: &str = "eu-central-1";
/// The account.
pub const ACCOUNT: &str = "111122223333";
/// The function's credentials; tests check that they do not appear anywhere.
pub const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7SANDBOX"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "not-a-real-secret-access-key-of-the-sandbox",
    ),
    (
        "AWS_SESSION_TOKEN",
        "not-a-real-session-token-of-the-sandbox",
    ),
];
/// The function's role.
pub const ROLE: &str = "arn:aws:iam::111122223333:role/landfall";
/// The name of the function's session, which Lambda chooses.
pub(super) const SESSION: &str = "landfall";
