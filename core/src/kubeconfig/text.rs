//! Finds the kubeconfig in a text, or says what the text is instead. Forms that can mean only one
//! thing are taken: base64, a quoted text, line breaks written as `\n`.

use super::{cluster, user};
use crate::formats::yaml::{self, YamlError};
use crate::kubernetes::token::appearance;
use crate::outcome::{KubeconfigError, OtherText};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde_json::{Map, Value};

/// The longest kubeconfig: the size of a secret in Secrets Manager.
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const LIMIT: usize = 65_536;

/// How often a text may be wrapped: quoted, and base64 within.
const WRAPPED: usize = 2;

/// Base64 in which the padding may be missing.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: [GeneralPurpose; 2] = [
    GeneralPurpose::new(&alphabet::STANDARD, CONFIG),
    GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG),
];

/// The lists of a kubeconfig.
const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

/// Kinds that people store in a kubeconfig's place.
const KINDS: [&str; 14] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Service",
    "Secret",
    "ConfigMap",
    "ServiceAccount",
    "TokenRequest",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "Namespace",
    "List",
];

/// Reads the fields of a kubeconfig.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, KubeconfigError> {
    if text.len() > LIMIT {
        return Err(KubeconfigError::TooLong);
    }
    let mut text = text
        .trim_matches(|it: char| it.is_whitespace() || it == '\u{feff}')
        .to_owned();
    for _ in 0..WRAPPED {
        match unwrapped(&text) {
            Some(inner) => text = inner,
            None => break,
        }
    }
    if let Some(other) = other(&text) {
        return Err(KubeconfigError::Other(other));
    }
    let (mut first, mut documents) = (None, 0);
    let parsed = yaml::read(&text, |document| {
        documents += 1;
        first.get_or_insert(document);
    });
    parsed.map_err(|error| refused(&error))?;
    let Some(Value::Object(root)) = first else {
        return Err(KubeconfigError::Other(OtherText::Unknown));
    };
    match other_document(&root) {
        Some(other) => Err(KubeconfigError::Other(other)),
        None if documents > 1 => Err(KubeconfigError::SeveralDocuments),
        None => Ok(root),
    }
}

/// What is in a text that is only a form of another one.
fn unwrapped(text: &str) -> Option<String> {
    if text.starts_with('"') {
        return serde_json::from_str::<String>(text)
            .ok()
            .map(|text| text.trim().to_owned());
    }
    if !text.contains('\n') && text.contains("\\n") && !text.starts_with('{') {
        return Some(
            text.replace("\\r", "")
                .replace("\\n", "\n")
                .trim()
                .to_owned(),
        );
    }
    let decoded = base64(text)?;
    has_lists(&decoded).then(|| decoded.trim().to_owned())
}

fn base64(text: &str) -> Option<String> {
    let joined = text.split_whitespace().collect::<String>();
    let decoded = BASE64
        .iter()
        .find_map(|engine| engine.decode(&joined).ok())?;
    String::from_utf8(decoded).ok()
}

fn has_lists(text: &str) -> bool {
    LISTS.iter().any(|list| text.contains(list))
}

/// Recognizes texts that are not YAML of a mapping.
fn other(text: &str) -> Option<OtherText> {
    let is_word = !text.contains(char::is_whitespace);
    Some(if text.is_empty() {
        OtherText::Empty
    } else if text.starts_with("-----BEGIN") {
        OtherText::Pem
    } else if appearance::resembles_a_token(text) {
        OtherText::Token
    } else if is_word && text.starts_with("arn:") {
        OtherText::Arn
    } else if is_word
        && ["https://", "http://"]
            .iter()
            .any(|it| text.starts_with(it))
    {
        OtherText::Address
    } else if is_word
        && ["/", "~", "./", "file:", "fileb:"]
            .iter()
            .any(|it| text.starts_with(it))
    {
        OtherText::Path
    } else if !text.contains([':', '{']) {
        match base64(text) {
            Some(inner) if inner.trim().starts_with("-----BEGIN") => OtherText::Pem,
            Some(_) => OtherText::Base64,
            None if is_word => OtherText::Token,
            None => OtherText::Unknown,
        }
    } else {
        return None;
    })
}

/// Recognizes documents that are not a kubeconfig.
fn other_document(root: &Map<String, Value>) -> Option<OtherText> {
    let text = |field: &str| root.get(field).and_then(Value::as_str);
    let has_list = LISTS.iter().any(|list| root.contains_key(*list));
    let version = text("apiVersion");
    let is_wrapped = |value: &Value| value.as_str().is_some_and(has_lists);
    let is_described = root.get("cluster").is_some_and(|cluster| {
        cluster.get("endpoint").is_some() || cluster.get("certificateAuthority").is_some()
    });
    Some(match text("kind") {
        Some("Config") if version.is_none_or(|version| version == "v1") => return None,
        None if has_list && version.is_none_or(|version| version == "v1") => return None,
        Some("Config") => OtherText::OtherConfig,
        Some("ExecCredential") => OtherText::ExecCredential,
        Some(kind) => match KINDS.iter().find(|known| **known == kind) {
            Some(known) => OtherText::Object(known),
            None => OtherText::OtherObject,
        },
        None if is_described => OtherText::EksCluster,
        None if root.values().any(is_wrapped) => OtherText::Wrapped,
        None => OtherText::Unknown,
    })
}

/// The parser's words may have a part of the text.
fn refused(error: &YamlError) -> KubeconfigError {
    let line = error.line;
    let Some(field) = &error.duplicate else {
        return KubeconfigError::Syntax { line };
    };
    let names = [
        "kind",
        "apiVersion",
        "current-context",
        "preferences",
        "name",
        "namespace",
    ];
    let inner = [
        "cluster", "user", "context", "command", "args", "env", "value",
    ];
    let known = LISTS.iter().chain(&names).chain(&inner);
    let mut known = known.chain(&user::FIELDS).chain(&cluster::FIELDS);
    KubeconfigError::Duplicate {
        line,
        field: known.find(|known| **known == field).copied(),
    }
}
