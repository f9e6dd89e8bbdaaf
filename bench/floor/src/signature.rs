//! AWS's signature, version 4:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use crate::environment::variable;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::{digest, hmac};
use std::fmt::Write as _;

pub(crate) struct Signer {
    id: String,
    secret: String,
    session: String,
    region: String,
}

impl Signer {
    pub(crate) fn from_environment() -> Signer {
        Signer {
            id: variable("AWS_ACCESS_KEY_ID"),
            secret: variable("AWS_SECRET_ACCESS_KEY"),
            session: variable("AWS_SESSION_TOKEN"),
            region: variable("AWS_REGION"),
        }
    }

    /// All headers of a JSON 1.1 request to a service, except the host.
    pub(crate) fn headers(
        &self,
        service: &str,
        target: &str,
        host: &str,
        body: &str,
    ) -> [(&'static str, String); 5] {
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        let (date, time) = (
            now.strftime("%Y%m%d"),
            now.strftime("%Y%m%dT%H%M%SZ").to_string(),
        );
        let kind = "application/x-amz-json-1.1";
        let session = &self.session;
        let names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
        let canonical = format!(
            "POST\n/\n\ncontent-type:{kind}\nhost:{host}\nx-amz-date:{time}\n\
             x-amz-security-token:{session}\nx-amz-target:{target}\n\n{names}\n{}",
            hash(body)
        );
        let scope = format!("{date}/{}/{service}/aws4_request", self.region);
        let wanted = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hash(&canonical));
        let signature = signature(&self.secret, &scope, &wanted);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.id
        );
        [
            ("content-type", kind.to_owned()),
            ("x-amz-date", time),
            ("x-amz-security-token", session.clone()),
            ("x-amz-target", target.to_owned()),
            ("authorization", authorization),
        ]
    }
}

/// Each part of the scope derives the next key; the last key signs.
fn signature(secret: &str, scope: &str, wanted: &str) -> String {
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/').chain([wanted]) {
        key = sign(&key, part);
    }
    hexadecimal(&key)
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hash(text: &str) -> String {
    hexadecimal(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a text takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in AWS's guide to signing.
    #[test]
    fn the_signature_is_aws_own() {
        let scope = "20150830/us-east-1/iam/aws4_request";
        let wanted = format!(
            "AWS4-HMAC-SHA256\n20150830T123600Z\n{scope}\n\
             f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
        );
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        assert_eq!(
            signature(secret, scope, &wanted),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }
}
