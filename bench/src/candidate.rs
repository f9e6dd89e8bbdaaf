//! The measured programs: Landfall, and other ways to deploy.

use std::path::{Path, PathBuf};

/// A function as a process, with what it needs to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// A short name: `python`.
    pub(crate) name: &'static str,
    /// The libraries that it uses.
    pub(crate) title: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    /// The ZIP for Lambda.
    pub(crate) package: Option<PathBuf>,
}

/// The candidate that the others are compared with.
pub(crate) const LANDFALL: &str = "landfall";
/// The candidate that no function can be faster than.
pub(crate) const FLOOR: &str = "floor";

impl Candidate {
    /// The candidates that `bench/build.sh` could build, Landfall first, and the names of the
    /// others.
    pub(crate) fn all(folder: &Path, floor: &Path) -> (Vec<Candidate>, Vec<&'static str>) {
        let all = [
            Candidate::new(LANDFALL, "Landfall", folder.join("landfall/bootstrap")),
            Candidate::new(FLOOR, "Rust, the exchanges alone", floor.to_owned()),
            Candidate::new("go", "Go, client-go", folder.join("go/bootstrap")),
            Candidate {
                arguments: vec![path(&folder.join("node/task/index.cjs"))],
                // Avoids a line on standard error, which Lambda's own Node does not print either.
                environment: vec![(
                    "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED",
                    "true".to_owned(),
                )],
                ..Candidate::new("node", "Node, client-node", folder.join("node/node"))
            },
            Candidate {
                arguments: ["-m", "awslambdaric", "handler.handler"]
                    .map(str::to_owned)
                    .to_vec(),
                environment: vec![("PYTHONPATH", path(&folder.join("python/task")))],
                ..Candidate::new(
                    "python",
                    "Python, requests",
                    folder.join("python/bin/python"),
                )
            },
        ];
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for mut candidate in all {
            if !candidate.program.exists() {
                missing.push(candidate.name);
                continue;
            }
            let package = folder.join(format!("{}.zip", candidate.name));
            candidate.package = package.exists().then_some(package);
            there.push(candidate);
        }
        (there, missing)
    }

    /// Landfall's function in this file.
    pub(crate) fn landfall(program: &Path) -> Candidate {
        Candidate::new(LANDFALL, "Landfall", program.to_owned())
    }

    fn new(name: &'static str, title: &'static str, program: PathBuf) -> Candidate {
        Candidate {
            name,
            title,
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            package: None,
        }
    }

    /// The size of the uploaded file in bytes.
    pub(crate) fn package_bytes(&self) -> Option<u64> {
        let package = std::fs::metadata(self.package.as_ref()?);
        package.ok().map(|package| package.len())
    }
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
