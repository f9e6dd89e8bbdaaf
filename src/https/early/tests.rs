use super::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server, and for each of its connections what came over it until its first answer.
async fn server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::<Mutex<Vec<String>>>::default();
    let seen = came.clone();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            seen.lock().unwrap().push(String::new());
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                    seen.lock().unwrap()[number].push_str(&text);
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (url, came)
}

#[tokio::test]
async fn the_first_request_takes_the_connection_that_is_there() {
    let (url, came) = server().await;
    let early = Early::new(Trust::Public).unwrap();
    for _ in 0..2 {
        early.connect(&url).await;
        // The server's side of it comes a little later.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(*came.lock().unwrap(), [""], "nothing is sent");
    }
    for path in ["a", "b"] {
        let sent = early.client().get(format!("{url}/{path}")).send().await;
        assert_eq!(sent.unwrap().status(), 200);
    }
    early.connect(&url).await;
    let came = came.lock().unwrap();
    let [one] = came.as_slice() else {
        panic!("{came:?}")
    };
    let lines = one.lines().filter(|line| line.contains(" HTTP/1.1"));
    let lines = lines.collect::<Vec<_>>();
    assert_eq!(lines, ["GET /a HTTP/1.1", "GET /b HTTP/1.1"]);
}

#[test]
fn an_old_connection_is_not_taken() {
    let made = Timestamp::UNIX_EPOCH;
    let after = |seconds| made + SignedDuration::from_secs(seconds);
    for (now, expected) in [
        (0, true),
        (9, true),
        (10, false),
        (3600, false),
        (-1, false),
    ] {
        assert_eq!(is_fresh(made, after(now)), expected, "{now}");
    }
}

#[tokio::test]
async fn without_it_the_first_request_connects_itself() {
    let (url, came) = server().await;
    let early = Early::new(Trust::Public).unwrap();
    assert!(early.client().get(&url).send().await.is_ok());
    assert_eq!(came.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_failure_is_told_by_the_first_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let early = Early::new(Trust::Public).unwrap();
    early.connect(&url).await;
    let error = early.client().get(&url).send().await.unwrap_err();
    assert!(chain(&error).contains("refused"), "{}", chain(&error));
}
