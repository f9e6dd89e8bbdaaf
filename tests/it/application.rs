//! What the pods of a story answer. Those in a real cluster are kwok's and have no network: they
//! are told to be at an address of this machine, where this listens.

use crate::cluster::Cluster;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// See `sandbox/src/control_plane/stages.yaml`.
const ADDRESS: &str = "stories/address";
/// The longest question that is read.
const QUESTION: usize = 16 * 1024;

/// One that answers each request the same, until it is dropped.
pub struct Application {
    image: String,
    answer: (u16, String),
    address: IpAddr,
    port: u16,
    asked: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Application {
    /// That of the pods with this image.
    pub async fn new(image: &str, status: u16, body: &str) -> Application {
        let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
        let place = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let text = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let count = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(answer(stream, text.clone()));
            }
        });
        Application {
            image: image.to_owned(),
            answer: (status, body.to_owned()),
            address: place.ip(),
            port: place.port(),
            asked,
            task: task.abort_handle(),
        }
    }

    /// The Deployment with its image, at its address and port.
    pub fn of(&self, mut deployment: Value) -> Value {
        let template = &mut deployment["spec"]["template"];
        template["metadata"]["annotations"][ADDRESS] = json!(self.address.to_string());
        let container = &mut template["spec"]["containers"][0];
        container["image"] = json!(self.image);
        container["ports"] = json!([{"name": "http", "containerPort": self.port}]);
        deployment
    }

    /// The Service finds the port by its name: each version has its own.
    pub fn behind(mut service: Value) -> Value {
        service["spec"]["ports"][0]["targetPort"] = json!("http");
        service
    }

    /// The sandbox's pods need no address.
    pub fn join(&self, cluster: &Cluster) {
        if let Cluster::Sandbox(kubernetes) = cluster {
            let (status, body) = &self.answer;
            kubernetes.world(|world, _| world.say(&*self.image, *status, body.clone()));
        }
    }

    /// How often it was asked; None where that is not known.
    pub fn asked(&self, cluster: &Cluster) -> Option<usize> {
        let real = matches!(cluster, Cluster::Real(_));
        real.then(|| self.asked.load(Ordering::Relaxed))
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// No endpoint may be at a loopback address, so this finds another; nothing is sent for that.
/// <https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/>
fn own_address() -> IpAddr {
    let found = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(10, 255, 255, 255), 9))?;
        socket.local_addr()
    });
    found.map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}

async fn answer(mut stream: TcpStream, text: String) {
    let mut question = Vec::new();
    while !question.windows(4).any(|end| end == b"\r\n\r\n") && question.len() < QUESTION {
        match stream.read_buf(&mut question).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    // Who asks may have gone.
    let _sent = stream.write_all(text.as_bytes()).await;
    let _closed = stream.shutdown().await;
}
