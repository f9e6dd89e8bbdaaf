//! What is in an image and belongs elsewhere: a password, or a script's word for nothing.

use super::quoted::shown;
use super::reference::ALGORITHMS;

/// What is wrong with an image that has what opens its registry. Nothing of it is shown.
pub(super) fn credentials(image: &str) -> Option<String> {
    // In an address a password may have a slash of its own.
    let (user, place) = match image.split_once("://") {
        Some((_, rest)) => rest.rsplit_once('@')?,
        None => image.split('/').next()?.rsplit_once('@')?,
    };
    let place = place.split('/').next().unwrap_or_default();
    let is_digest = ALGORITHMS
        .iter()
        .any(|(algorithm, _)| place.starts_with(algorithm));
    let is_user = user.contains(':') && (place.contains(['.', ':']) || place == "localhost");
    (is_user && !is_digest).then(|| {
        format!(
            "has a user and a password before `{}`: leave them out, and give the pods an \
             `imagePullSecrets`. Whoever saw the pipeline has seen them: change them",
            shown(place)
        )
    })
}

/// What scripts write where they have no value. The last two are words that a name may begin with.
const NOTHING: [&str; 5] = ["null", "undefined", "None", "none", "nil"];

/// The part of an image that a script had no value for.
pub(super) fn nothing(image: &str) -> Option<String> {
    let last = image.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match image[last..].split_once(':') {
        Some((name, tag)) => (&image[..last + name.len()], Some(tag)),
        None => (image, None),
    };
    let (part, word) = if NOTHING.contains(&name) {
        ("it", name)
    } else if let Some(tag) = tag.filter(|tag| NOTHING[..3].contains(tag)) {
        ("its tag", tag)
    } else {
        let (first, _) = name
            .split_once('/')
            .filter(|(first, _)| NOTHING[..3].contains(first))?;
        ("its registry", first)
    };
    Some(format!(
        "{part} is `{word}`, which a script (`jq`, for one) writes where there is no value"
    ))
}
