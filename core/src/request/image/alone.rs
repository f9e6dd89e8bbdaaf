//! What reads as an image and is only a part of one, or something else with the same parts.

use super::quoted::shown;
use super::reference::digits_of;

/// What is wrong with a digest without its repository, which reads as a name and a tag.
pub(super) fn digest_alone(image: &str) -> Option<String> {
    let (algorithm, digits) = image.split_once(':')?;
    let is_digest = digits.len() >= 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (digits_of(algorithm).is_some() && is_digest).then(|| {
        format!(
            "it is a digest without a repository: `REPOSITORY@{}`",
            shown(image)
        )
    })
}

/// What is wrong with an image's id, which reads as a name. No registry may have such a name.
/// <https://github.com/distribution/reference/blob/main/normalize.go>
pub(super) fn id_alone(name: &str) -> Option<String> {
    let is_id = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| "it is an image's id, which no registry knows: `REPOSITORY:TAG`".to_owned())
}

/// The digits of an account of AWS.
const ACCOUNT: usize = 12;

/// What is wrong with the account of an ECR registry: a number loses the zeros that it begins with.
pub(super) fn account_of(name: &str) -> Option<String> {
    let (account, rest) = name.split_once('.')?;
    let is_ecr = ["dkr.ecr.", "dkr-ecr.", "dkr.ecr-fips."]
        .iter()
        .any(|begin| rest.starts_with(begin));
    let is_number = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_ecr && is_number && account.len() != ACCOUNT).then(|| {
        format!(
            "its account `{account}` has {} digits, and one of AWS has {ACCOUNT}: zeros at its \
             beginning are lost where it is read as a number",
            account.len()
        )
    })
}

/// What is wrong with the ARN of a repository of ECR: its address is made of the same parts.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html>
pub(super) fn arn(image: &str) -> Option<String> {
    let rest = image.strip_prefix("arn:")?;
    let parts = rest.splitn(5, ':').collect::<Vec<_>>();
    let address = match parts.as_slice() {
        [
            partition @ ("aws" | "aws-us-gov" | "aws-cn"),
            "ecr",
            region,
            account,
            resource,
        ] => {
            let repository = resource.strip_prefix("repository/");
            let china = if *partition == "aws-cn" { ".cn" } else { "" };
            repository.map(|it| format!("{account}.dkr.ecr.{region}.amazonaws.com{china}/{it}"))
        }
        _ => None,
    };
    Some(match address {
        Some(address) => format!(
            "it is an ARN, and an image begins with its registry: `{}`",
            shown(&address)
        ),
        None => "it is an ARN, and an image begins with its registry or name".to_owned(),
    })
}

/// Registries whose names are never those of images: Docker Hub's own have no dots in practice.
const REGISTRIES: [&str; 11] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".on.aws",
    ".azurecr.io",
    ".pkg.dev",
    "gcr.io",
    "ghcr.io",
    "public.ecr.aws",
    "quay.io",
    "registry.k8s.io",
];

/// What is wrong with a name that is a registry's alone, which Kubernetes would look for at Docker
/// Hub.
pub(super) fn registry_alone(name: &str) -> Option<String> {
    let is_alone = !name.contains('/') && REGISTRIES.iter().any(|end| name.ends_with(end));
    is_alone.then(|| {
        format!(
            "`{name}` is a registry, and no repository follows it: `{name}/NAME:TAG`. A variable \
             with the repository's name may be empty, or the registry's address was taken for its \
             URI"
        )
    })
}
