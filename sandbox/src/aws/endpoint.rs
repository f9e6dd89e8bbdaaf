//! The common endpoint of SSM and CodePipeline: JSON 1.1 over HTTP, with the faults that tests
//! plan.

use crate::aws::answer::{Answer, Cut, Refusal};
use crate::aws::fault::AwsFault;
use crate::aws::request::Asked;
use crate::aws::s3;
use crate::aws::state::{Shared, State};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::{Value, json};

pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Answer, Cut> {
    if request.method() == Method::GET {
        let (head, body) = request.into_parts();
        return s3::answer(shared, head, body).await;
    }
    let asked = Asked::read(request).await?;
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
    let refusal = fault.and_then(|fault| fault.refusal(&asked));
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
    Ok(answer_result(result, number))
}

impl Asked {
    fn perform(&self, state: &mut State) -> Result<Value, Refusal> {
        if !self.signed {
            return Err(Refusal {
                status: 403,
                ..Refusal::new(
                    "MissingAuthenticationTokenException",
                    "Missing Authentication Token",
                )
            });
        }
        let body = self.body.as_ref().ok_or_else(Refusal::serialization)?;
        state.perform(&self.target, body)
    }
}

fn answer_result(result: Result<Value, Refusal>, number: u64) -> Answer {
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(refusal) => (
            refusal.status,
            json!({"__type": refusal.kind, "message": refusal.message}),
        ),
    };
    Response::builder()
        .status(status)
        .header("Content-Type", "application/x-amz-json-1.1")
        .header(
            "x-amzn-RequestId",
            format!("{number:08x}-0a0b-4c0d-8e0f-{number:012x}"),
        )
        .body(body.to_string().into())
        .expect("the headers are made here")
}
