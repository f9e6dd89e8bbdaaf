//! The common endpoint of all services but the Runtime API, with the faults that tests plan.

use crate::aws::answer::{Answer, Cut, Refusal};
use crate::aws::cbor;
use crate::aws::fault::AwsFault;
use crate::aws::request::{Asked, Protocol};
use crate::aws::s3;
use crate::aws::state::{Shared, State};
use crate::aws::xml;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};

pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Answer, Cut> {
    let (head, body) = request.into_parts();
    if Asked::is_for_s3(&head) {
        return s3::answer(shared, head, body).await;
    }
    let asked = Asked::read(head, body).await?;
    let fault = shared.state().planned_fault(&asked.target);
    match fault {
        Some(AwsFault::Cut) => {
            shared.change(|state| state.record(&asked, None, true));
            return Err(Cut);
        }
        Some(AwsFault::Stall) => {
            shared.change(|state| state.record(&asked, None, true));
            return std::future::pending().await;
        }
        Some(AwsFault::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(_) | None => {}
    }
    let caller = shared.state().caller(&asked).and_then(Result::ok);
    let refusal = fault.and_then(|fault| fault.refusal(&asked, caller.as_ref()));
    let faulty = refusal.is_some();
    let (result, number) = shared.change(|state| {
        let result = match refusal {
            Some(refusal) => Err(refusal),
            None => asked.perform(state),
        };
        let lost = fault == Some(AwsFault::CutAfter);
        state.record(&asked, Some(&result).filter(|_| !lost), faulty);
        state.requests += 1;
        (result, state.requests)
    });
    if fault == Some(AwsFault::CutAfter) {
        return Err(Cut);
    }
    Ok(answer_result(&asked, result, number))
}

impl Asked {
    fn perform(&self, state: &mut State) -> Result<Value, Refusal> {
        if self.signer.is_none() {
            return Err(Refusal {
                status: 403,
                ..Refusal::new(
                    "MissingAuthenticationTokenException",
                    "Missing Authentication Token",
                )
            });
        }
        let body = self.body.as_ref().ok_or_else(Refusal::serialization)?;
        state.perform(self, body)
    }
}

fn answer_result(asked: &Asked, result: Result<Value, Refusal>, number: u64) -> Answer {
    let id = format!("{number:08x}-0a0b-4c0d-8e0f-{number:012x}");
    let (status, kind) = match &result {
        Ok(_) => (200, None),
        Err(refusal) => (refusal.status, Some(refusal.kind)),
    };
    let told = |it: Refusal| json!({"__type": it.kind, "message": it.message});
    let (content_type, body) = match asked.protocol {
        Protocol::Json => {
            let body = result.unwrap_or_else(told);
            ("application/x-amz-json-1.1", body.to_string().into_bytes())
        }
        Protocol::Cbor => {
            let body = cbor::encode(&result.unwrap_or_else(told));
            ("application/cbor", body)
        }
        Protocol::Rest => {
            let body = result.unwrap_or_else(|it| json!({"message": it.message}));
            ("application/json", body.to_string().into_bytes())
        }
        Protocol::Query => {
            let operation = asked.target.trim_start_matches("STS.");
            let body = xml::answer(operation, &result, &id);
            ("text/xml", body.into_bytes())
        }
    };
    let mut response = Response::builder()
        .status(status)
        .header("Content-Type", content_type)
        .header("x-amzn-RequestId", id);
    if let Some(kind) = kind.filter(|_| asked.protocol == Protocol::Rest) {
        response = response.header("x-amzn-ErrorType", kind);
    }
    if asked.protocol == Protocol::Cbor {
        response = response.header("smithy-protocol", "rpc-v2-cbor");
    }
    let body = response.body(body.into());
    body.expect("the headers are made here")
}
