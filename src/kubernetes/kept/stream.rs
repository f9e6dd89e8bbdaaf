//! A watch of what a list has, read by a task of its own.

use super::items::{Form, Item};
use crate::kubernetes::{Cluster, WatchEnd};
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::contact::Identity;
use landfall_core::kubernetes::identity;
use landfall_core::kubernetes::watched::{Change, Line};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

/// How long the server may take to begin.
const BEGINNING: Duration = Duration::from_secs(10);

/// What a watch tells, which watch, and when that came.
pub(super) type Message = (u64, Told, Instant);

/// What a watch tells.
#[derive(Debug)]
pub(super) enum Told {
    /// The server has begun to send.
    Opened,
    /// The object of this name is so now; the version of the watch.
    Put(String, Item, String),
    /// The object of this name is gone.
    Gone(String, String),
    /// It has come so far.
    Bookmark(String),
    /// The stream has ended, either complete or cut off.
    Over(WatchEnd),
    /// It cannot go on from where it was to begin: the list is to be read.
    Expired,
    /// What came is not from a watch of these objects.
    Garbled,
    /// It could not be opened.
    Refused(CallError),
}

impl Told {
    fn is_last(&self) -> bool {
        match self {
            Told::Opened | Told::Put(..) | Told::Gone(..) | Told::Bookmark(_) => false,
            Told::Over(_) | Told::Expired | Told::Garbled | Told::Refused(_) => true,
        }
    }
}

/// Follows a watch to its end, and sends what it tells with this id. What it is of: the call, the
/// form in which it is kept, and the name of the only object.
pub(super) async fn follow(
    cluster: Arc<Cluster>,
    (call, form, only): (Call, Form, String),
    id: u64,
    to: Sender<Message>,
) {
    let mut watch = match cluster.watch(&call, Instant::now() + BEGINNING).await {
        Ok(watch) => watch,
        Err(error) => {
            let is_expired = matches!(&error, CallError::Refused(it) if it.code == 410);
            let told = if is_expired {
                Told::Expired
            } else {
                Told::Refused(error)
            };
            // Whoever does not listen any more needs nothing.
            let _ = to.send((id, told, Instant::now())).await;
            return;
        }
    };
    drop(cluster);
    let asked = identity::asked(&call).unwrap_or_default();
    let mut told = Told::Opened;
    loop {
        let is_last = told.is_last();
        // Whoever takes it may do so much later.
        let message = (id, told, Instant::now());
        if to.send(message).await.is_err() || is_last {
            return;
        }
        told = match watch.line().await {
            Ok(line) => read(&line, form, &asked, &only),
            Err(end) => Told::Over(end),
        };
    }
}

/// Reads a line of a watch of the objects that are `asked` for, of the `only` one if there is one.
fn read(text: &[u8], form: Form, asked: &Identity, only: &str) -> Told {
    let Some(line) = Line::read(text) else {
        return Told::Garbled;
    };
    let is_ours = line.kind == asked.kind && line.namespace == asked.namespace;
    match line.change {
        Change::Ended => Told::Expired,
        Change::Bookmark => Told::Bookmark(line.version),
        Change::Put | Change::Gone if !is_ours || line.name.is_empty() => Told::Garbled,
        // Who ignores a selector tells of others, too.
        Change::Put | Change::Gone if !only.is_empty() && line.name != only => Told::Garbled,
        Change::Gone => Told::Gone(line.name, line.version),
        Change::Put => match Item::in_line(form, text) {
            Some(item) => Told::Put(line.name, item, line.version),
            None => Told::Garbled,
        },
    }
}
