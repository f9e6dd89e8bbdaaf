//! Programs of others that we are tried against: started on loopback, ended with the story.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a program may take to listen; Python takes a few seconds on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long one request may take: longer than any function's life in these stories.
const ANSWER: Duration = Duration::from_secs(60);
/// How long a program may take to end by itself, and its children with it.
const END: Duration = Duration::from_secs(5);
/// How often a program is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Below the ports that the kernel gives away by itself, so that nobody takes one in between.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A running program with a folder of its own. Dropping it ends it; where a test fails, its log is
/// shown.
pub struct Peer {
    child: Child,
    folder: PathBuf,
}

impl Peer {
    /// Starts a program of the peers' folder; it sees nothing of our environment.
    pub fn start(program: &str, arrange: impl FnOnce(&mut Command, &Path)) -> Peer {
        let path = program_path(program);
        let folder = new_folder(program);
        let log = File::create(folder.join("log")).unwrap();
        let mut command = Command::new(&path);
        command
            .env_clear()
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        arrange(&mut command, &folder);
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Peer { child, folder }
    }

    /// Waits until it listens there.
    pub async fn listens(&mut self, address: SocketAddr) {
        let end = Instant::now() + START;
        while TcpStream::connect(address).await.is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {ended:?}\n{}", self.log());
            assert!(Instant::now() < end, "it does not listen\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Asked with SIGTERM it ends what it started, too; SIGKILL would leave that behind.
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status();
        let end = Instant::now() + END;
        while asked.is_ok() && !self.ended() && Instant::now() < end {
            std::thread::sleep(LOOK);
        }
        // Both fail only where it has ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of {}:\n{}", self.folder.display(), self.log());
        }
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// The program in `LANDFALL_PEERS`, or where `make peers` puts it.
pub fn program_path(program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let peers = std::env::var_os("LANDFALL_PEERS")
        .map_or_else(|| root.join("target/peers"), |folder| root.join(folder));
    let path = peers.join("bin").join(program);
    let shown = path.display();
    assert!(path.is_file(), "{shown} is missing: `make peers` makes it");
    path
}

/// aws-iam-authenticator's verifier, where `make control-plane` puts it.
pub fn authenticator_path() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("target/control-plane/bin/authenticator");
    let shown = path.display();
    assert!(
        path.is_file(),
        "{shown} is missing: `make control-plane` makes it"
    );
    path
}

/// Runs a script of `tests/peers` with the peers' Python, and returns what it prints.
pub fn run_python(script: &str, arguments: &[&str], input: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    let mut command = Command::new(program_path("python"));
    command.arg(path.join(script)).args(arguments).env_clear();
    run_with_input(&mut command, input)
}

/// Runs a program to its end and returns what it prints.
pub fn run_with_input(command: &mut Command, input: &str) -> String {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_owned();
    // It may print before it has read everything.
    let writing = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _read_or_ended = writing.join().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// An empty folder among the system's temporary ones.
pub fn new_folder(program: &str) -> PathBuf {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("landfall-{program}-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// An address of this machine on which nobody listens, another one each time.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    let first = (std::process::id() % u32::from(count)) as u16;
    for _ in PORTS {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(first) % count;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORTS.start + offset));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port of {PORTS:?} is free");
}

/// Posts something and reads the answer to its end: the status and the body.
pub async fn post(to: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    send("POST", to, path, headers, body.as_bytes()).await
}

/// Sends one request and reads the answer to its end: the status and the body.
pub async fn send(method: &str, to: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
    let (status, _, body) = exchange(method, to, path, headers, body).await;
    (status, String::from_utf8(body).unwrap())
}

/// Sends one request and reads the answer to its end: the status, the head and the body.
pub async fn exchange(
    method: &str,
    to: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String, Vec<u8>) {
    let asked = async {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::time::timeout(ANSWER, asked).await;
    let answer = answer.unwrap_or_else(|_| panic!("{to}{path} does not answer"));
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.unwrap() + 4);
    let head = String::from_utf8(head.to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, body.to_vec())
}
