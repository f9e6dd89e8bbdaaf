//! The account and the region that everything here belongs to.

/// The region the function is told it runs in.
pub const REGION: &str = "eu-central-1";
/// The account that everything belongs to.
pub const ACCOUNT: &str = "111122223333";
/// What the function signs with; tests look for these where they must not be.
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
