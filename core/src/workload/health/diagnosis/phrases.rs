//! Phrases of registries, runtimes and kubelets, by what they mean.

/// Phrases of a registry that does not have the image, the last one of Quay.
pub(super) const ABSENT: [&str; 5] = [
    "not found",
    "notfound",
    "manifest unknown",
    "name unknown",
    "was deleted or has expired",
];

/// Phrases of a registry that has the image only for other platforms.
pub(super) const PLATFORM: [&str; 6] = [
    "no match for platform",
    "no matching manifest for",
    "no image found in manifest list for",
    "no image found in image index for",
    "does not match the specified platform",
    "cannot be used on this platform",
];

/// Marks of one layer of an image, which its registry may lack for a moment or for good although it
/// has the image. <https://github.com/docker-library/golang/issues/566>
const LAYER: [&str; 5] = [
    "/blobs/sha256:",
    "/blobs/sha512:",
    "vnd.oci.image.layer.",
    "docker.image.rootfs.diff.",
    "blob unknown",
];

/// Whether an error is about a layer, not about the image.
pub(super) fn is_of_a_layer(message: &str) -> bool {
    let message = message.to_lowercase();
    LAYER.iter().any(|mark| message.contains(mark))
}

/// Errors of a container runtime that does not accept an image, each with its solution: signature
/// policies, ambiguous short names, unsupported formats, unexpected digests, registries without
/// TLS.
/// <https://github.com/cri-o/cri-o/pull/9401>
/// <https://github.com/containerd/containerd/blob/main/docs/containerd-2.0.md>
const REFUSED: [(&str, &str); 21] = [
    ("signaturevalidationfailed", SIGN),
    ("signature was required", SIGN),
    ("source image rejected", SIGN),
    ("short name mode is enforcing", NAME),
    ("did not resolve to an alias", NAME),
    ("server gave http response to https client", TLS),
    ("manifest.v1+", BUILD),
    ("unsupported schema version", BUILD),
    ("unsupported media type", FORMAT),
    ("unsupported image-specific operation", FORMAT),
    ("encountered unknown type", FORMAT),
    ("invalid rootfs in image configuration", FORMAT),
    ("mismatched image rootfs", FORMAT),
    ("unexpected commit digest", PUSH),
    ("failed size validation", PUSH),
    ("does not match provided manifest digest", PUSH),
    ("would not match destination reference", PUSH),
    ("filesystem layer verification failed", PUSH),
    ("invalid tar header", PUSH),
    ("no processor for media-type", ZIP),
    ("missing private key needed for decryption", KEY),
];
pub(super) const SIGN: &str = "sign it as the policy of the nodes asks for";
const NAME: &str = "write it with its registry, as in `docker.io/library/nginx:1`";
const TLS: &str = "give the registry TLS, or name it as insecure in the settings of the nodes";
const BUILD: &str = "build it with a newer builder";
const FORMAT: &str = "name a container's image, not another artifact such as a Helm chart";
const ZIP: &str = "push its layers as gzip, or update the runtime of the nodes";
const KEY: &str = "give the nodes the key of its layers, or push it unencrypted";
const PUSH: &str = "push it again, and look at a proxy or a mirror in between";

/// The solution for an image that the container runtime does not accept, by its error.
pub(super) fn way_out(message: &str) -> Option<&'static str> {
    let message = message.to_lowercase();
    let mut rows = REFUSED.iter();
    Some(rows.find(|(mark, _)| message.contains(mark))?.1)
}

/// Phrases of a kubelet that, right after its start, does not know any Secret or Service, or whose
/// authorizer does not know yet that the pod is on its node.
/// <https://github.com/Shopify/krane/blob/main/lib/krane/kubernetes_resource/pod.rb>
/// <https://github.com/kubernetes/kubernetes/issues/64599>
pub(super) const UNSYNCED: [&str; 4] = [
    "failed to sync",
    "not registered",
    "have not yet been read",
    "no relationship found between node",
];

/// Phrases about a missing object that a container refers to.
pub(super) const MISSING: [&str; 3] = ["not found", "couldn't find key", "non-existent"];

/// Phrases about temporary problems.
pub(super) const PASSING: [&str; 12] = [
    "timeout",
    "timed out",
    "deadline exceeded",
    "connection re",
    "no such host",
    "server misbehaving",
    "toomanyrequests",
    "too many requests",
    "rate limit",
    "is reserved for",
    "unavailable",
    // The node's own proxy asks: the registry has not answered.
    "proxy authentication required",
];

/// Phrases about a problem of the node.
pub(super) const NODE: [&str; 7] = [
    "no space left",
    "resource busy",
    "device busy",
    "input/output error",
    "too many open files",
    // Its kernel has no memory left for filters: https://github.com/moby/moby/issues/45498
    "errno 524",
    // It has lost a part of an image: https://github.com/containerd/containerd/issues/3401
    "content digest",
];

/// Phrases of a registry that denies access, or hands an image out only on its own conditions.
/// <https://goharbor.io/docs/main/working-with-projects/project-configuration/>
pub(super) const DENIED: [&str; 8] = [
    "denied",
    "unauthorized",
    "forbidden",
    "authentication required",
    "no basic auth credentials",
    "due to configured policy",
    // The same without a word: the answer to a HEAD request has none.
    "precondition failed",
    "payment required",
];

/// Phrases of a runtime about the image's command, not the node.
pub(super) const COMMAND: [&str; 5] = [
    "exec: \"",
    "executable file not found",
    "no such file or directory",
    "permission denied",
    "exec format error",
];
