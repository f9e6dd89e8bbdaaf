//! S3's GetObject by path, with ranges and ETags, and PutObject, as far as a pipeline's artifacts
//! need them.
//! Signatures are parsed but not verified; `landfall::aws::signature` tests its own with AWS's
//! example.

use crate::aws::account::CREDENTIALS;
use crate::aws::account::{ACCOUNT, REGION};
use crate::aws::answer::{Answer, Cut};
use crate::aws::bucket::Buckets;
use crate::aws::fault::AwsFault;
use crate::aws::state::{AwsCall, Refused, Shared, push_bounded};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::{Value, json};

/// The targets of S3 calls in the list of calls.
const GET: &str = "S3.GetObject";
/// See [`GET`].
const PUT: &str = "S3.PutObject";
/// How much of an object that is written is taken.
const OBJECT_LIMIT: usize = 5 << 20;
const KMS_KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// An error in S3's format.
struct Error {
    status: u16,
    code: &'static str,
    message: String,
    region: Option<String>,
}

fn error(status: u16, code: &'static str, message: impl Into<String>) -> Error {
    Error {
        status,
        code,
        message: message.into(),
        region: None,
    }
}

/// A request for an object, or with one.
struct Asked {
    target: &'static str,
    content: Bytes,
    encryption: Option<String>,
    bucket: String,
    key: String,
    range: Option<String>,
    if_match: Option<String>,
    authorization: String,
    has_hash: bool,
}

pub(super) async fn answer(shared: &Shared, head: Parts, body: Incoming) -> Result<Answer, Cut> {
    let content = Limited::new(body, OBJECT_LIMIT).collect().await;
    let content = content.map_err(|_| Cut)?.to_bytes();
    let asked = Asked::read(&head, content);
    let target = asked.target;
    let fault = shared.state().planned_fault(target);
    match fault {
        Some(AwsFault::Cut) => return Err(Cut),
        Some(AwsFault::Stall) => return std::future::pending().await,
        Some(AwsFault::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(_) | None => {}
    }
    let planned = fault.and_then(|fault| refusal(fault, &asked));
    let is_planned = planned.is_some();
    let result = match planned {
        Some(error) => Err(error),
        None if target == PUT => put(&mut shared.state().buckets, &asked),
        None => find(&shared.state().buckets, &asked),
    };
    let (status, code) = match &result {
        Ok((status, ..)) => (*status, None),
        Err(error) => (error.status, Some(error.code.to_owned())),
    };
    shared.change(|state| {
        if let (Err(error), false) = (&result, is_planned) {
            let refused = Refused {
                target: target.to_owned(),
                kind: error.code.to_owned(),
                message: error.message.clone(),
            };
            // A missing or moved object is not the caller's mistake.
            if ![
                "NoSuchKey",
                "NoSuchBucket",
                "AuthorizationHeaderMalformed",
                "InvalidRange",
            ]
            .contains(&error.code)
            {
                push_bounded(&mut state.refused, refused);
            }
        }
        let call = AwsCall {
            target: target.to_owned(),
            body: asked.told(),
            at: jiff::Timestamp::now(),
            status: Some(status),
            error: code,
        };
        push_bounded(&mut state.calls, call);
    });
    if fault == Some(AwsFault::CutAfter) {
        return Err(Cut);
    }
    Ok(match result {
        Ok((status, headers, body)) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response
                .body(body.into())
                .expect("the headers are made here")
        }
        Err(error) => error.answer(),
    })
}

impl Asked {
    fn read(head: &Parts, content: Bytes) -> Asked {
        let header = |name: &str| {
            let value = head.headers.get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        let path = head.uri.path().trim_start_matches('/');
        let (bucket, name) = path.split_once('/').unwrap_or((path, ""));
        let target = match head.method == Method::PUT {
            true => PUT,
            false => GET,
        };
        let encryption = header("x-amz-server-side-encryption");
        let key = header("x-amz-server-side-encryption-aws-kms-key-id");
        Asked {
            target,
            content,
            encryption: encryption.map(|kind| match key {
                Some(key) => format!("{kind} {key}"),
                None => kind,
            }),
            bucket: decoded(bucket),
            key: decoded(name),
            range: header("range"),
            if_match: header("if-match"),
            authorization: header("authorization").unwrap_or_default(),
            has_hash: header("x-amz-content-sha256").is_some() && header("x-amz-date").is_some(),
        }
    }

    /// What is kept of it in the list of calls.
    fn told(&self) -> Value {
        let mut told = json!({"Bucket": self.bucket, "Key": self.key});
        if self.target == GET {
            told["Range"] = json!(self.range);
        } else {
            told["Encryption"] = json!(self.encryption);
        }
        told
    }

    /// Checks that the credentials are the job's, or in a bucket that is `open` to the function's
    /// role its own.
    fn signed_for(&self, open: bool) -> Result<&str, Error> {
        let denied = |why| Err(error(403, "AccessDenied", why));
        let scope = self
            .authorization
            .strip_prefix("AWS4-HMAC-SHA256 Credential=");
        let mut scope = scope.unwrap_or_default().split('/');
        let (Some(id), Some(_), Some(region), Some("s3")) =
            (scope.next(), scope.next(), scope.next(), scope.next())
        else {
            return denied("Access Denied");
        };
        if id == CREDENTIALS[0].1 && !open {
            return denied("The function's own role may not use the artifact store");
        }
        if !self.has_hash {
            let why = "Missing required header for this request: x-amz-content-sha256";
            return Err(error(400, "InvalidRequest", why));
        }
        Ok(region)
    }
}

type Found = (u16, Vec<(&'static str, String)>, Bytes);

fn put(buckets: &mut Buckets, asked: &Asked) -> Result<Found, Error> {
    at_home(buckets, asked)?;
    let content = asked.content.clone();
    buckets.put(&asked.bucket, &asked.key, content);
    Ok((200, Vec::new(), Bytes::new()))
}

/// Checks that the caller may use the bucket, and asks in its region.
fn at_home(buckets: &Buckets, asked: &Asked) -> Result<(), Error> {
    let region = asked.signed_for(buckets.open.contains(&asked.bucket))?;
    let Some(home) = buckets.regions.get(&asked.bucket) else {
        return Err(error(
            404,
            "NoSuchBucket",
            "The specified bucket does not exist",
        ));
    };
    if home != region {
        let why = format!(
            "The authorization header is malformed; the region '{region}' is wrong; \
             expecting '{home}'"
        );
        return Err(Error {
            region: Some(home.clone()),
            ..error(400, "AuthorizationHeaderMalformed", why)
        });
    }
    Ok(())
}

fn find(buckets: &Buckets, asked: &Asked) -> Result<Found, Error> {
    at_home(buckets, asked)?;
    let place = (asked.bucket.clone(), asked.key.clone());
    let Some(content) = buckets.objects.get(&place) else {
        return Err(error(404, "NoSuchKey", "The specified key does not exist."));
    };
    let etag = format!("\"{:032x}\"", content.as_ptr() as usize ^ content.len());
    if asked
        .if_match
        .as_ref()
        .is_some_and(|wanted| *wanted != etag)
    {
        let why = "At least one of the pre-conditions you specified did not hold";
        return Err(error(412, "PreconditionFailed", why));
    }
    let total = content.len();
    let Some(range) = &asked.range else {
        return Ok((200, vec![("ETag", etag)], content.clone()));
    };
    let Some((first, end)) = range_of(range, total) else {
        return Err(error(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
        ));
    };
    let told = format!("bytes {first}-{}/{total}", end - 1);
    let headers = vec![("Content-Range", told), ("ETag", etag)];
    Ok((206, headers, content.slice(first..end)))
}

/// Parses `bytes=a-b` or `bytes=-n` into first and end; `None` for an empty range.
fn range_of(range: &str, total: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, end) = match (first.parse(), last.parse::<usize>()) {
        (Err(_), Ok(count)) => (total.saturating_sub(count), total),
        (Ok(first), Ok(last)) => (first, total.min(last + 1)),
        (Ok(first), Err(_)) => (first, total),
        (Err(_), Err(_)) => return None,
    };
    (first < end).then_some((first, end))
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut place = 0;
    while place < bytes.len() {
        let code = bytes
            .get(place + 1..place + 3)
            .filter(|_| bytes[place] == b'%');
        let code =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        decoded.push(code.unwrap_or(bytes[place]));
        place += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn refusal(fault: AwsFault, asked: &Asked) -> Option<Error> {
    // S3 has KMS make a key of the object's own where it writes, and decrypt that where it reads.
    let (action, by_kms) = match asked.target {
        PUT => ("s3:PutObject", "kms:GenerateDataKey"),
        _ => ("s3:GetObject", "kms:Decrypt"),
    };
    let denied = |action: &str, resource: String| {
        let why = format!(
            "User: arn:aws:sts::{ACCOUNT}:assumed-role/pipeline/job is not authorized to perform: \
             {action} on resource: {resource} because no identity-based policy allows the \
             {action} action"
        );
        error(403, "AccessDenied", why)
    };
    Some(match fault {
        AwsFault::Throttling => error(503, "SlowDown", "Please reduce your request rate."),
        AwsFault::Unavailable => error(
            503,
            "ServiceUnavailable",
            "Service is unable to handle request.",
        ),
        AwsFault::AccessDenied => {
            let object = format!("\"arn:aws:s3:::{}/{}\"", asked.bucket, asked.key);
            denied(action, object)
        }
        AwsFault::KmsAccessDenied => {
            let key = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{KMS_KEY}");
            denied(by_kms, key)
        }
        AwsFault::ExpiredToken => error(400, "ExpiredToken", "The provided token has expired."),
        AwsFault::InvalidJobState
        | AwsFault::JobNotFound
        | AwsFault::Stall
        | AwsFault::Cut
        | AwsFault::CutAfter
        | AwsFault::Slow(_) => return None,
    })
}

impl Error {
    fn answer(self) -> Answer {
        let region = self
            .region
            .map(|region| format!("<Region>{region}</Region>"));
        let message = self.message.replace('&', "&amp;").replace('<', "&lt;");
        let message = message.replace('"', "&quot;");
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code>\
             <Message>{message}</Message>{}<RequestId>4442587FB7D0A2F9</RequestId></Error>",
            self.code,
            region.unwrap_or_default()
        );
        Response::builder()
            .status(self.status)
            .header("Content-Type", "application/xml")
            .body(body.into())
            .expect("the headers are made here")
    }
}

#[cfg(test)]
mod tests;
