//! Which images of a release `images` replaces, and by what.
//!
//! An entry names a container, or an image by its name without tag and digest, as `images` of
//! kustomize does: <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/>.
//! There the name is a regular expression and may match nothing; here it is the text itself, and
//! must match.

use super::pods::Image;
use crate::problem::{Fault, kept};
use crate::request::image::Reference;
use crate::text::listed;
use std::collections::{BTreeMap, BTreeSet};

/// The images that a request gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// By the name of a container or an image.
    Named(BTreeMap<String, String>),
    /// One image, of a file without names.
    Sole(String),
}

/// An image of an object of the release.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// The object's place in the list of manifests.
    pub(super) manifest: usize,
    /// The object as `Kind/name`.
    pub(super) label: String,
    /// The image.
    pub(super) image: Image,
}

/// How many images a message lists.
const TOLD: usize = 10;

impl Found {
    /// The image and who has it, for a message.
    fn told(&self) -> String {
        format!("`{}` of {}", self.image.image, self.label)
    }
}

/// Finds the images to replace: for each one that was found its replacement.
pub(super) fn replacements(given: &Given, found: &[Found]) -> (Vec<Option<String>>, Vec<Fault>) {
    let mut replacements = vec![None; found.len()];
    let mut faults = Vec::new();
    match given {
        Given::Sole(image) => {
            let hits = kept(&mut faults, "images", sole(image, found));
            for hit in hits.into_iter().flatten() {
                replacements[hit] = Some(image.clone());
            }
        }
        Given::Named(entries) => {
            for (name, image) in entries {
                let field = format!("images.{name}");
                let hits = kept(&mut faults, &field, hits(name, found));
                for hit in hits.into_iter().flatten() {
                    let new = replaced(&found[hit].image.image, name, image);
                    let before = replacements[hit].replace(new.clone());
                    if before.is_some_and(|before| before != new) {
                        let problem = format!(
                            "replaces {}, which another entry replaces, too, by another image",
                            found[hit].told()
                        );
                        faults.push(Fault::new(&*field, problem));
                    }
                }
            }
        }
    }
    (replacements, faults)
}

/// The images that an entry of this name replaces. If it would replace different ones by the same,
/// or none at all, that is a fault.
fn hits(name: &str, found: &[Found]) -> Result<Vec<usize>, String> {
    let is_hit = |found: &Found| {
        let image = &found.image;
        image.container.as_deref() == Some(name) || rest_of(&image.image, name).is_some()
    };
    let hits = (0..found.len()).filter(|index| is_hit(&found[*index]));
    let hits = hits.collect::<Vec<_>>();
    if hits.is_empty() {
        return Err(format!(
            "matches no container and no image: {}",
            there_are(found)
        ));
    }
    let mut names = BTreeMap::new();
    for hit in &hits {
        let name = name_of(&found[*hit].image.image);
        if !name.is_empty() {
            names.entry(name).or_insert(*hit);
        }
    }
    match names.len() {
        0 | 1 => Ok(hits),
        _ => {
            let told = names.values().take(TOLD).map(|hit| found[*hit].told());
            Err(format!(
                "matches different images, {}: name each image, without its tag, in place of \
                 the container",
                listed(told.collect())
            ))
        }
    }
}

/// The images that one image without a container's name replaces: those of the same name, or else
/// that of the only container.
fn sole(image: &str, found: &[Found]) -> Result<Vec<usize>, String> {
    let name = name_of(image);
    let indexes = 0..found.len();
    let same = indexes
        .clone()
        .filter(|index| name_of(&found[*index].image.image) == name);
    let same = same.collect::<Vec<_>>();
    if !same.is_empty() {
        return Ok(same);
    }
    let main = |index: &usize| {
        let image = &found[*index].image;
        image.container.is_some() && !image.is_init
    };
    let mains = indexes.filter(main).collect::<Vec<_>>();
    match mains.len() {
        1 => Ok(mains),
        _ => Err(format!(
            "has `{image}` without a container's name, and no image is called `{name}`: {}",
            there_are(found)
        )),
    }
}

fn there_are(found: &[Found]) -> String {
    let images = found.iter().filter(|it| !it.image.image.is_empty());
    let images = images.map(Found::told).collect::<BTreeSet<_>>();
    let more = images.len().saturating_sub(TOLD);
    let mut told = images.into_iter().take(TOLD).collect::<Vec<_>>();
    if more > 0 {
        told.push(format!("{more} more"));
    }
    match told.is_empty() {
        true => "no object of the manifests has an image".to_owned(),
        false => format!("there are {}", listed(told)),
    }
}

/// The new image for one that an entry of this name hits. `:tag` and `@digest` alone keep the name;
/// a name alone, where the entry names an image, keeps tag and digest.
fn replaced(before: &str, entry: &str, new: &str) -> String {
    if new.starts_with([':', '@']) {
        return format!("{}{new}", name_of(before));
    }
    match rest_of(before, entry) {
        Some(rest) if name_of(new) == new => format!("{new}{rest}"),
        Some(_) | None => new.to_owned(),
    }
}

/// The name of an image: without tag and digest, whether they are valid or not.
fn name_of(image: &str) -> &str {
    Reference::split(image).name
}

/// The tag and the digest of an image of this name; `None` for an image of another name.
fn rest_of<'i>(image: &'i str, name: &str) -> Option<&'i str> {
    (name_of(image) == name && !name.is_empty()).then(|| &image[name.len()..])
}

/// Why a text is not the name of an image; `None` if it is.
pub(super) fn not_an_image_name(text: &str) -> Option<String> {
    match Reference::parse(text) {
        Ok(Reference {
            tag: None,
            digest: None,
            ..
        }) => None,
        Ok(Reference { name, .. }) => Some(format!(
            "has a tag or a digest, and an entry names an image without them: write `{name}`"
        )),
        Err(why) => Some(format!(
            "is neither the name of a container nor that of an image: {why}"
        )),
    }
}

#[cfg(test)]
mod tests;
