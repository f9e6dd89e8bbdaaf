//! The body of a response, including endless ones.

use hyper::body::{Body, Bytes, Frame};
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// A response's body: one piece, or what a task sends.
pub(crate) enum Flow {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Bytes>),
}

pub(crate) fn flow() -> (mpsc::Sender<Bytes>, Flow) {
    let (sender, receiver) = mpsc::channel(CHUNK_LIMIT);
    (sender, Flow::Stream(receiver))
}

pub(crate) fn endless() -> Flow {
    let (sender, flow) = flow();
    tokio::spawn(async move {
        let chunk = Bytes::from(vec![b' '; 64 * 1024]);
        for _ in 0..ENDLESS_CHUNKS {
            if sender.send(chunk.clone()).await.is_err() {
                return;
            }
        }
    });
    flow
}

impl Body for Flow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Flow::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Flow::Stream(receiver) => receiver
                .poll_recv(context)
                .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Flow::Whole(None))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Flow::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                hyper::body::SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Flow::Stream(_) => hyper::body::SizeHint::default(),
        }
    }
}

/// How many chunks wait for a slow reader.
pub(crate) const CHUNK_LIMIT: usize = 64;
/// The chunks of an endless body, each of 64 KiB: more than any reader should accept.
pub(crate) const ENDLESS_CHUNKS: usize = 16_384;

pub(crate) fn line(event: &Value) -> Bytes {
    format!("{event}\n").into()
}
