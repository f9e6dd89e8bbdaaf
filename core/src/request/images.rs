//! The field `images`, and file references in fields.

use super::appearance::stand_in;
use super::checks::{image_of, left_unfilled, name_of, unresolved, variable};
use super::fields::Check;
use super::shown::excerpt;
use crate::formats::archive::plain;
use crate::outcome::FileReference;
use crate::problem::Fault;
use crate::request::image::{self, Definitions};
use crate::text::placeholder;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The longest path of a file in an artifact.
pub(super) const PATH_LIMIT: usize = 300;

/// The longest name of an artifact.
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_InputArtifact.html>
const ARTIFACT_LIMIT: usize = 100;

impl Check<'_> {
    /// The entries of `images` by what they name, or the single image of a file without names.
    pub(super) fn image_entries(&mut self, named: &str) -> (Map<String, Value>, Option<String>) {
        let Some(Value::String(path)) = self.fields.get("images") else {
            let shape = format!(r#"{{"{named}": "image"}}, or the path of a file in an artifact"#);
            return (self.object("images", &shape), None);
        };
        let path = path.clone();
        match self.images_file(&path) {
            Some(Definitions::Sole(image)) => {
                self.image("images", &image);
                (Map::new(), Some(image))
            }
            Some(Definitions::Named(named)) => {
                let named = named.into_iter();
                let entries = named.map(|(name, image)| (name, image.into()));
                (entries.collect(), None)
            }
            None => (Map::new(), None),
        }
    }

    /// Reads the images by container, or the single image of a file without container names.
    pub(super) fn images(&mut self) -> (BTreeMap<String, String>, Option<String>) {
        let (entries, sole) = self.image_entries("container");
        let mut images = BTreeMap::new();
        for (container, image) in entries {
            let field = format!("images.{container}");
            if let Err(problem) = name_of(&container, 63, false) {
                self.fault(&field, format!("is for a container whose name {problem}"));
            }
            let Value::String(image) = image else {
                self.must_be(field, "an image in quotes", &image);
                continue;
            };
            if self.image(&field, &image) {
                images.insert(container, image);
            }
        }
        (images, sole)
    }

    pub(super) fn image(&mut self, field: &str, image: &str) -> bool {
        let root = field.split(['.', '[']).next().unwrap_or_default();
        let is_in_file = self.fields.get(root).is_some_and(Value::is_string);
        let problem = in_file(image).filter(|_| is_in_file);
        let checked = problem.map_or_else(|| image_of(image), Err);
        let is_valid = checked.is_ok();
        self.check(field, checked);
        is_valid
    }

    fn images_file(&mut self, path: &str) -> Option<Definitions> {
        let member = self.member("images", path, "imagedefinitions.json")?;
        if member.path.contains([':', '@']) {
            let problem = format!(
                "must be {{\"container\": \"image\"}}, or the path of a file in an artifact, and \
                 is `{}`",
                excerpt(path, 0)
            );
            self.fault("images", problem);
            return None;
        }
        let Some(files) = self.files else {
            self.wanted.images = Some(member);
            return None;
        };
        let Some(file) = &files.images else {
            self.fault("images", format!("names {member}, and no file was read"));
            return None;
        };
        match image::definitions(&file.content) {
            Ok(definitions) => Some(definitions),
            Err(faults) => {
                let stand_in = str::from_utf8(&file.content).ok().and_then(stand_in);
                let stand_in = stand_in.map(|problem| vec![Fault::new("images", problem)]);
                for fault in stand_in.unwrap_or(faults) {
                    self.fault(fault.field, format!("of {member} {}", fault.problem));
                }
                None
            }
        }
    }

    /// Parses a file reference: `path`, or `Artifact::path`.
    pub(super) fn member(
        &mut self,
        field: &str,
        text: &str,
        example: &str,
    ) -> Option<FileReference> {
        let (artifact, path) = match text.split_once("::") {
            Some((artifact, path)) => (Some(artifact), path),
            None => (None, text),
        };
        let path = &*plain(path);
        let is_name = |name: &str| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
            !name.is_empty() && name.len() <= ARTIFACT_LIMIT && name.bytes().all(inner)
        };
        let climbs = path.split('/').any(|part| ["", ".", ".."].contains(&part));
        let odd = path.chars().any(char::is_control) || text.contains("://");
        let problem = if text.contains(placeholder::PIPELINE) {
            unresolved(text)
        } else if let Some(problem) = left_unfilled(text) {
            problem
        } else if climbs || odd || path.len() > PATH_LIMIT || path.starts_with('{') {
            format!(
                "must be the path of a file in an input artifact, such as `{example}` or \
                 `ArtifactName::{example}`, and is `{}`",
                excerpt(text, 0)
            )
        } else if !artifact.is_none_or(is_name) {
            format!(
                "has `{}` before `::`, which is not a valid artifact name",
                excerpt(artifact.unwrap_or_default(), 0)
            )
        } else {
            return Some(FileReference {
                artifact: artifact.map(str::to_owned),
                path: path.to_owned(),
            });
        };
        self.fault(field, problem);
        None
    }
}

/// The problem of an image in a file that has a variable of CodePipeline.
pub(super) fn in_file(image: &str) -> Option<String> {
    let variable = variable(image)?;
    Some(format!(
        "has `{variable}`, and CodePipeline fills variables in UserParameters alone, never in \
         files: write `${{NAME}}` in a manifest and give NAME by `variables`"
    ))
}
