//! Runs `kubectl` as a build step would.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use tokio::io::AsyncBufReadExt as _;
use wait4::Wait4 as _;

/// The program of the control plane around the benchmark.
#[derive(Clone)]
pub(crate) struct Kubectl {
    program: PathBuf,
}

/// What commands took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Used {
    pub(crate) seconds: f64,
    /// CPU time in milliseconds.
    pub(crate) cpu: f64,
    /// The peak memory of the largest process in MiB.
    pub(crate) peak: f64,
}

impl Used {
    /// Adds what came after.
    pub(crate) fn and(self, then: Used) -> Used {
        Used {
            seconds: self.seconds + then.seconds,
            cpu: self.cpu + then.cpu,
            peak: self.peak.max(then.peak),
        }
    }
}

/// Reads a variable that `landfall-control-plane` sets.
pub(crate) fn variable(name: &str) -> Result<String, String> {
    let value = std::env::var(name);
    value.map_err(|_| format!("{name} is not set: `make` runs this inside a control plane"))
}

impl Kubectl {
    /// The control plane's own.
    pub(crate) fn find() -> Result<Kubectl, String> {
        let program = variable("LANDFALL_KUBECTL")?.into();
        Ok(Kubectl { program })
    }

    /// Runs a command that must succeed, and returns what it prints.
    pub(crate) fn ask(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("kubectl: {error}");
        let mut child = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(input.as_bytes()).map_err(failed)?;
        }
        let ended = child.wait_with_output().map_err(failed)?;
        if !ended.status.success() {
            let words = String::from_utf8_lossy(&ended.stderr);
            return Err(format!("kubectl {}: {words}", arguments.join(" ")));
        }
        Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
    }

    /// Starts a proxy with these flags, and returns it with its address. It ends when it is
    /// dropped.
    pub(crate) async fn proxy(
        &self,
        flags: &[String],
    ) -> Result<(tokio::process::Child, String), String> {
        let failed = |error: std::io::Error| format!("kubectl proxy: {error}");
        let mut child = tokio::process::Command::new(&self.program)
            .args(["proxy", "--port=0"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let output = child.stdout.take().ok_or("kubectl proxy has no output")?;
        let mut line = String::new();
        let mut output = tokio::io::BufReader::new(output);
        output.read_line(&mut line).await.map_err(failed)?;
        let address = line.trim().rsplit(' ').next().unwrap_or_default();
        match address.parse::<std::net::SocketAddr>() {
            Ok(address) => Ok((child, address.to_string())),
            Err(_) => Err(format!(
                "kubectl proxy says {line:?} instead of its address"
            )),
        }
    }

    /// Measures a command. `home` has its caches. Exit statuses up to `accepted` are successes.
    pub(crate) fn measure(
        &self,
        arguments: &[&str],
        home: &Path,
        accepted: i32,
    ) -> Result<Used, String> {
        let failed = |error: std::io::Error| format!("kubectl {}: {error}", arguments.join(" "));
        let started = Instant::now();
        let mut child = Command::new(&self.program)
            .args(arguments)
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(failed)?;
        let used = child.wait4().map_err(failed)?;
        let seconds = started.elapsed().as_secs_f64();
        if used.status.code().is_none_or(|code| code > accepted) {
            return Err(format!("kubectl {}: {}", arguments.join(" "), used.status));
        }
        let time = used.rusage.utime + used.rusage.stime;
        let bytes = used.rusage.maxrss as f64;
        Ok(Used {
            seconds,
            cpu: time.as_secs_f64() * 1000.0,
            peak: bytes / 1024.0 / 1024.0,
        })
    }
}

/// A home folder without caches, as a build in a new container has it; deleted when dropped.
pub(crate) struct Home(PathBuf);

impl Home {
    /// Makes one with this name.
    pub(crate) fn make(name: &str) -> Result<Home, String> {
        let name = format!("landfall-bench-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let made = std::fs::create_dir(&path);
        made.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Home(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
