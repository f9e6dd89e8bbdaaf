//! Programs that end with the program that started them, however that ends.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// The argument that makes this program a tether: see [`tether`].
pub(crate) const TETHER: &str = "tether";
/// How much of a log is shown if its program ends too early.
const TAIL: usize = 2000;

/// A program in the background, with its output in a file. Dropping it ends the program.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with its output in `NAME.log` in that folder.
    pub(crate) fn start<S: AsRef<OsStr>>(
        program: &Path,
        arguments: &[S],
        folder: &Path,
    ) -> Result<Process, String> {
        let name = program.file_name().unwrap_or(program.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let log = folder.join(format!("{name}.log"));
        let started = || -> io::Result<Child> {
            let output = File::create(&log)?;
            Command::new(std::env::current_exe()?)
                .arg(TETHER)
                .arg(std::process::id().to_string())
                .arg(program)
                .args(arguments)
                .current_dir(folder)
                .stdin(Stdio::null())
                .stdout(output.try_clone()?)
                .stderr(output)
                .spawn()
        };
        let child = started().map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Process { name, child, log })
    }

    /// Returns an error with the end of the log if the program has ended.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.obituary(status)),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }

    fn obituary(&self, status: ExitStatus) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(TAIL)..]).into_owned();
        format!("{} ended ({status}); its last words:\n{tail}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both only fail if it has already ended.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Becomes the named program, which the kernel kills when `parent` dies, so no process is left
/// behind even if `parent` cannot end it. The setting survives `execve`,
/// <https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html>.
///
/// Returns only if that fails.
pub(crate) fn tether(parent: &str, program: &OsStr, arguments: &[impl AsRef<OsStr>]) -> io::Error {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            return error.into();
        }
        let alive = getppid().is_some_and(|id| id.as_raw_nonzero().to_string() == parent);
        if !alive {
            return io::Error::other("the program that started this one has ended");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _only_linux_tells_when_a_parent_dies = parent;
    Command::new(program).args(arguments).exec()
}
