//! `landfall-access lint`: checks user parameters in files, as the function would, without AWS and
//! without a cluster.

mod condition;
mod filled;
mod found;
mod node;
mod verdict;

use landfall_core::formats::yaml::text::decode;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verdict::judge;

/// The exit status if parameters are wrong.
const WRONG: u8 = 1;
/// The exit status if the command line is wrong, or a file cannot be read.
const UNUSABLE: u8 = 2;

/// The largest file: more than the plan of a large Terraform configuration.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// What a file must have in it to be read at all.
const SIGNS: [&str; 4] = [
    "UserParameters",
    "FunctionName",
    "parameters.schema.json",
    "deploy",
];

const HELP: &str = "\
Checks the user parameters of actions that invoke Landfall, as the function would
before it asks anything of AWS or the cluster.

Usage: landfall-access lint [--function NAME ...] FILE ...

FILE may be a CloudFormation or SAM template (YAML with !Sub and the like, or JSON),
what `cdk synth` writes, `terraform show -json PLAN`, a pipeline as `aws codepipeline
get-pipeline` prints it, an event, a call without a pipeline, or parameters alone that
have `$schema`. What is filled in later (${Name}, #{Build.IMAGE_URI}) is not judged.
Where conditions choose (Fn::If), all that can hold together are checked.

An action is Landfall's if its function's name, or what refers to it, has `landfall`
in it, or if its parameters say what Landfall deploys.
  --function NAME         another name of the function, or a part of it

It prints FILE:LINE: FIELD PROBLEM, and ends with 0 if nothing is wrong, 1 if
something is, 2 if a file cannot be read.
";

/// Runs the command.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (files, names) = match parse(arguments) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("landfall-access lint: {problem}\nTry: landfall-access lint --help");
            return ExitCode::from(UNUSABLE);
        }
    };
    let names = found::names(&names);
    let (mut checked, mut wrong, mut unread) = (0, 0, false);
    for file in &files {
        match lint(file, &names) {
            Ok(report) => {
                checked += report.checked;
                wrong += report.lines.len();
                report.lines.iter().for_each(|line| println!("{line}"));
            }
            Err(problem) => {
                unread = true;
                eprintln!("{}: {problem}", file.display());
            }
        }
    }
    eprintln!("user parameters checked: {checked}, faults: {wrong}");
    if checked == 0 && !unread {
        eprintln!(
            "No action in them invokes Landfall. Its function has another name? --function NAME"
        );
    }
    match (unread, wrong) {
        (true, _) => ExitCode::from(UNUSABLE),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::from(WRONG),
    }
}

type Parsed = (Vec<PathBuf>, Vec<String>);

/// The files and the further names of the function; `None` if help is wanted.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Parsed>, String> {
    use lexopt::prelude::{Long, Short, Value, ValueExt as _};
    let (mut files, mut names) = (Vec::new(), Vec::new());
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut read = || -> Result<bool, lexopt::Error> {
        while let Some(argument) = parser.next()? {
            match argument {
                Long("function") => names.push(parser.value()?.string()?),
                Long("help") | Short('h') => return Ok(true),
                Value(file) => files.push(file.into()),
                Long(_) | Short(_) => return Err(argument.unexpected()),
            }
        }
        Ok(false)
    };
    if read().map_err(|error| error.to_string())? {
        return Ok(None);
    }
    match files.is_empty() {
        true => Err("a file is missing".to_owned()),
        false => Ok(Some((files, names))),
    }
}

/// What was found in a file.
struct Report {
    checked: usize,
    lines: Vec<String>,
}

fn lint(file: &Path, names: &[String]) -> Result<Report, String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if size.len() > FILE_LIMIT {
        return Err(format!("it has more than {} MiB", FILE_LIMIT >> 20));
    }
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    // A file that is not text is not searched: other programs check it.
    let text = decode(&bytes).unwrap_or_default();
    let mut report = Report {
        checked: 0,
        lines: Vec::new(),
    };
    if !SIGNS.iter().any(|sign| text.contains(sign)) {
        return Ok(report);
    }
    if let Some(instead) = instead(file).filter(|_| text.contains(SIGNS[0])) {
        return Err(instead.to_owned());
    }
    let documents = match node::read(&text) {
        Ok(documents) => documents,
        // Of a file that has no action nobody has asked whether it is YAML.
        Err(_) if !text.contains(SIGNS[0]) => return Ok(report),
        Err(problem) => return Err(problem),
    };
    let lines = text.lines().collect::<Vec<_>>();
    for found in documents.iter().flat_map(|it| found::find(it, names)) {
        report.checked += 1;
        for (fault, only) in judge(&found) {
            let begin = found.first().map_or(0, |variant| variant.line);
            let place = match place(&lines, begin, &fault.field) {
                0 => file.display().to_string(),
                line => format!("{}:{line}", file.display()),
            };
            let only = only.map_or_else(String::new, |only| format!(" ({only})"));
            let names = found.first().map_or(&[][..], |variant| &variant.names);
            let within = match (lines.len(), names) {
                // Where all is in one line its number says nothing.
                (..=1, [_, ..]) => format!("{}: ", names.join("/")),
                _ => String::new(),
            };
            let line = format!("{place}: {within}{fault}{only}");
            // A value that is quoted may have line breaks; a fault is one line.
            let line = line.replace(char::is_control, "␤");
            if !report.lines.contains(&line) {
                report.lines.push(line);
            }
        }
    }
    Ok(report)
}

/// What is to be checked in place of a program.
fn instead(file: &Path) -> Option<&'static str> {
    match file.extension()?.to_str()? {
        "tf" | "tofu" | "hcl" => Some(
            "this is Terraform's own language; check what `terraform show -json` prints of its \
             plan",
        ),
        "ts" | "js" | "mjs" | "py" | "java" | "kt" | "cs" | "go" => {
            Some("this is a program; check what it makes: for the CDK what `cdk synth` writes")
        }
        _ => None,
    }
}

/// The line that has the field's name, from the one in which the parameters begin, or that one.
fn place(lines: &[&str], begin: usize, field: &str) -> usize {
    /// How many lines parameters have at the most.
    const PARAMETERS: usize = 200;
    let root = field.split(['.', '[']).next().unwrap_or_default();
    let names = [format!("\"{root}\""), format!("\\\"{root}\\\"")];
    let has = |line: &&str| {
        let is_key = line.trim_start().strip_prefix(root);
        let is_key = is_key.is_some_and(|rest| rest.starts_with(':'));
        is_key || names.iter().any(|name| line.contains(name.as_str()))
    };
    let from = begin.saturating_sub(1);
    let mut within = lines.iter().skip(from).take(PARAMETERS);
    match (begin, within.position(has)) {
        (0, _) | (_, None) => begin,
        (_, Some(after)) => begin + after,
    }
}

#[cfg(test)]
mod tests;
