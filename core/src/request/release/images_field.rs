//! The field `images` of a release: its entries checked, and put into the objects.

use super::collect::Objects;
use super::fault::Subject;
use super::images::{Found, Given, not_an_image_name, replacements};
use crate::request::checks::name_of;
use crate::request::fields::Check;
use crate::request::image;
use crate::request::images::in_file;
use crate::text::placeholder;
use serde_json::Value;
use std::collections::BTreeMap;

impl Check<'_> {
    /// The images by container or image, or the single image of a file without names.
    pub(super) fn release_images(&mut self) -> Given {
        let (entries, sole) = self.image_entries("container or image");
        if let Some(image) = sole {
            return Given::Sole(image);
        }
        let mut images = BTreeMap::new();
        for (name, image) in entries {
            let field = format!("images.{name}");
            if let Err(_) = name_of(&name, 63, false)
                && let Some(problem) = not_an_image_name(&name)
            {
                self.fault(field, problem);
                continue;
            }
            let Value::String(image) = image else {
                self.must_be(field, "an image in quotes", &image);
                continue;
            };
            let whole = match image.starts_with([':', '@']) {
                true => format!("{name}{image}"),
                false => image.clone(),
            };
            if self.image(&field, &whole) {
                images.insert(name, image);
            }
        }
        Given::Named(images)
    }
}

/// Replaces the images that `given` names, and checks all of them.
pub(super) fn put_images(objects: &mut Objects<'_>, given: &Given, is_filled: bool) {
    let (new, faults) = replacements(given, &objects.images);
    objects.faults.extend(faults);
    let mut changed = BTreeMap::<usize, Vec<usize>>::new();
    for (index, new) in new.into_iter().enumerate() {
        let found = &mut objects.images[index];
        if let Some(new) = new.filter(|new| *new != found.image.image) {
            changed.entry(found.manifest).or_default().push(index);
            found.image.image = new;
        }
    }
    for (manifest, images) in changed {
        let manifest = &mut objects.manifests[manifest];
        let mut object = manifest.object();
        for index in images {
            let image = &objects.images[index].image;
            put(&mut object, &image.pointer, &image.image);
        }
        manifest.text = object.to_string().into();
    }
    for Found {
        manifest, image, ..
    } in &objects.images
    {
        // For a missing image the API server has its own message, and an unfilled placeholder is
        // already a fault.
        let text = image.image.as_str();
        if text.is_empty() || is_filled && text.contains(placeholder::VARIABLE) {
            continue;
        }
        let problem = in_file(text).or_else(|| image::problem(text));
        if let Some(problem) = problem {
            let manifest = &objects.manifests[*manifest];
            let subject = Subject::of(&manifest.place, &manifest.object());
            objects.faults.push(subject.fault(&image.path, problem));
        }
    }
}

/// Sets a text at a path whose last part may not exist yet.
fn put(object: &mut Value, pointer: &str, text: &str) {
    if let Some((parent, field)) = pointer.rsplit_once('/')
        && let Some(parent) = object.pointer_mut(parent)
    {
        parent[field] = text.into();
    }
}
