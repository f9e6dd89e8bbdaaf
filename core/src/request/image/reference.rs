//! The parts of an image reference.

/// The longest name of a repository, with its registry.
/// <https://github.com/distribution/reference/blob/main/reference.go>
pub(super) const NAME_LIMIT: usize = 255;

/// The longest tag.
pub(super) const TAG_LIMIT: usize = 128;

/// An image by its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference<'a> {
    /// Registry and repository: `registry.example.com:5000/team/web`.
    pub name: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest: `sha256:…`.
    pub digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Splits an image into its parts, whether they are valid or not.
    pub(crate) fn split(image: &'a str) -> Reference<'a> {
        let (named, digest) = match image.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (image, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let last = named.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match named[last..].split_once(':') {
            Some((end, tag)) => (&named[..last + end.len()], Some(tag)),
            None => (named, None),
        };
        Reference { name, tag, digest }
    }

    /// Parses an image reference; an error says what is wrong.
    /// <https://github.com/distribution/reference/blob/main/reference.go>
    pub fn parse(image: &'a str) -> Result<Reference<'a>, &'static str> {
        let reference = Reference::split(image);
        let Reference { name, tag, digest } = reference;
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err("its digest must be as in `@sha256:` and 64 hexadecimal digits");
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(
                "its tag may have up to 128 letters, digits, `_`, `.` and `-`, \
                        and begins with none of the last two",
            );
        }
        is_name(name)?;
        Ok(reference)
    }
}

fn is_name(name: &str) -> Result<(), &'static str> {
    if name.len() > NAME_LIMIT {
        return Err("its name is longer than 255 characters");
    }
    // The first part is a registry if it cannot be part of a path.
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || is_host_only(first) => {
            (Some(first), rest)
        }
        _ => (None, name),
    };
    if registry.is_some_and(|registry| !is_registry(registry)) {
        return Err("its registry must be a host with or without a port");
    }
    if !path.split('/').all(is_component) {
        return Err(
            "the parts of its name must be of lower-case letters and digits, with single \
                    `.`, `_` or `-` between them",
        );
    }
    Ok(())
}

/// Whether the part is `localhost`, or has capital letters, which a path cannot have.
fn is_host_only(part: &str) -> bool {
    part == "localhost" || part.bytes().any(|byte| byte.is_ascii_uppercase())
}

pub(super) fn is_registry(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let v6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match v6 {
        Some(address) => {
            let inner = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
            !address.is_empty() && address.bytes().all(inner)
        }
        None => host.split('.').all(is_label),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_host && port.is_none_or(is_port)
}

/// Whether the part has only lower-case letters and digits, separated by `.`, `_`, `__` or any
/// number of `-`.
pub(super) fn is_component(part: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_separator =
        |text: &str| ["", ".", "_", "__"].contains(&text) || text.bytes().all(|byte| byte == b'-');
    part.bytes().next().is_some_and(is_inner)
        && part.bytes().last().is_some_and(is_inner)
        && separators.into_iter().all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !tag.is_empty()
        && tag.len() <= TAG_LIMIT
        && tag.bytes().all(is_inner)
        && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, digits)) = digest.split_once(':') else {
        return false;
    };
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits_of(algorithm) == Some(digits.len()) && digits.bytes().all(is_digit)
}

/// The algorithms that kubelets support, each with the digits of its digests.
/// <https://github.com/opencontainers/go-digest/blob/master/algorithm.go>
pub(super) const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// How many digits a digest of this algorithm has; `None` if a kubelet does not know it.
pub(super) fn digits_of(algorithm: &str) -> Option<usize> {
    let mut known = ALGORITHMS.iter().filter(|(name, _)| *name == algorithm);
    known.next().map(|(_, digits)| *digits)
}
