//! The files of a crate, and the arrows between them: which file names what of which other.

use super::source::{blank, functions, paths, without_tests};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A file without its tests, and what is measured of it.
pub struct File {
    pub lines: usize,
    pub functions: Vec<(String, usize, usize)>,
    paths: Vec<Vec<String>>,
}

/// The source files of one crate by module path: `change/asked`, and `lib` or `main` for its root.
pub struct Tree {
    /// The folder from the repository's root, such as `core/src`.
    pub folder: String,
    /// The name by which the crate's own programs call its library, such as `landfall`.
    name: String,
    pub files: BTreeMap<String, File>,
}

/// From file, to file, and the names that are taken. Files with their folder: `core/src/plan`.
pub type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

impl Tree {
    /// A tree of texts by their path below the folder.
    pub fn new<'a>(
        folder: &str,
        name: &str,
        texts: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut files = BTreeMap::new();
        for (path, text) in texts {
            let module = path.strip_suffix(".rs").unwrap();
            let module = module.strip_suffix("/mod").unwrap_or(module);
            if module.split('/').any(|part| part == "tests") {
                continue;
            }
            let code = without_tests(&blank(text));
            let file = File {
                lines: code.lines().count(),
                functions: functions(&code),
                paths: paths(&code),
            };
            files.insert(module.to_owned(), file);
        }
        let (folder, name) = (folder.to_owned(), name.to_owned());
        Self {
            folder,
            name,
            files,
        }
    }

    /// The tree of a folder. A folder in it with a `main.rs` is a program of its own, and left out.
    pub fn read(root: &Path, folder: &str, name: &str) -> Self {
        let mut texts = Vec::new();
        read(&root.join(folder), "", &mut texts);
        let texts = texts.iter().map(|(path, text)| (&**path, &**text));
        Self::new(folder, name, texts)
    }

    pub fn arrows(&self) -> Arrows {
        let mut found = Arrows::new();
        for (module, file) in &self.files {
            for path in &file.paths {
                let Some((to, names)) = self.resolve(module, path) else {
                    continue;
                };
                if to != *module {
                    let arrow = (self.place(module), self.place(&to));
                    found.entry(arrow).or_default().insert(names);
                }
            }
        }
        found
    }

    pub fn place(&self, module: &str) -> String {
        format!("{}/{module}", self.folder)
    }

    /// The file of this crate that a path leads to, and what is named there.
    fn resolve(&self, module: &str, path: &[String]) -> Option<(String, String)> {
        let here: Vec<&str> = match module {
            "lib" | "main" => Vec::new(),
            _ => module.split('/').collect(),
        };
        let (mut base, mut rest) = (here.clone(), path);
        match path[0].as_str() {
            "crate" => (base, rest) = (Vec::new(), &path[1..]),
            name if name == self.name => (base, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            // A child, or what is no module of this crate.
            child => {
                let child = [&here[..], &[child]].concat().join("/");
                self.files.get(&child)?;
            }
        }
        let mut whole = base;
        whole.extend(rest.iter().map(String::as_str));
        for length in (1..=whole.len()).rev() {
            let file = whole[..length].join("/");
            if self.files.contains_key(&file) {
                let names = whole[length..].join("::");
                return Some((
                    file,
                    if names.is_empty() {
                        "(module)".into()
                    } else {
                        names
                    },
                ));
            }
        }
        let root = ["lib", "main"]
            .into_iter()
            .find(|root| self.files.contains_key(*root))?;
        Some((root.to_owned(), whole.join("::")))
    }
}

fn read(folder: &Path, prefix: &str, texts: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !path.join("main.rs").exists() {
            read(&path, &format!("{prefix}{name}/"), texts);
        } else if name.ends_with(".rs") {
            texts.push((
                format!("{prefix}{name}"),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
}

/// The arrows that are part of a circle.
pub fn circling(arrows: &Arrows) -> Vec<(String, String)> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in arrows.keys() {
        next.entry(from).or_default().push(to);
    }
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for start in next.keys() {
        let mut seen = BTreeSet::new();
        let mut ahead = vec![*start];
        while let Some(file) = ahead.pop() {
            for to in next.get(file).into_iter().flatten() {
                if seen.insert(*to) {
                    ahead.push(to);
                }
            }
        }
        reached.insert(start, seen);
    }
    let circles = |(from, to): &&(String, String)| {
        let back = reached.get(to.as_str());
        back.is_some_and(|files| files.contains(from.as_str()))
    };
    arrows.keys().filter(circles).cloned().collect()
}
