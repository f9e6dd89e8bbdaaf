//! A user of a kubeconfig: exactly one credential.

use super::entry::Entry;
use super::exec;
use super::model::KubeconfigUser;
use crate::formats::{certificate, private_key};
use crate::kubernetes::credential::ClientCertificate;
use crate::kubernetes::token::{Token, appearance};
use crate::outcome::KubeconfigProblem;

/// The fields of a user.
/// <https://github.com/kubernetes/client-go/blob/master/tools/clientcmd/api/v1/types.go>
pub(super) const FIELDS: [&str; 15] = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "as",
    "as-uid",
    "as-groups",
    "as-user-extra",
    "username",
    "password",
    "auth-provider",
    "exec",
    "extensions",
];

/// The fields of a client certificate.
const CERTIFICATE: &str = "client-certificate-data";
const KEY: &str = "client-key-data";

/// Reads the credential, or adds what is wrong with it. `server` is the API server's address.
pub(super) fn user(entry: &mut Entry<'_>, server: Option<&str>) -> Option<KubeconfigUser> {
    entry.misspelled(&FIELDS);
    let before = entry.faults.len();
    refuse_others(entry);
    let set = |fields: &[&str]| fields.iter().any(|field| entry.is_set(field));
    let has_certificate = set(&[CERTIFICATE, "client-certificate", KEY, "client-key"]);
    let kinds = [
        ("token", set(&["token"])),
        (CERTIFICATE, has_certificate),
        ("exec", set(&["exec"])),
    ];
    let kinds = kinds.into_iter().filter(|(_, is_there)| *is_there);
    match kinds.map(|(kind, _)| kind).collect::<Vec<_>>()[..] {
        ["token"] => token(entry),
        [CERTIFICATE] => client_certificate(entry),
        ["exec"] => exec::cluster(entry, server).map(KubeconfigUser::Eks),
        // What was refused above was meant as the credential.
        [] if entry.faults.len() > before || entry.is_unreadable() => None,
        [] => {
            entry.fault("", KubeconfigProblem::NoCredential);
            None
        }
        // `kubectl` would send a token beside a certificate, of which the server believes the
        // certificate, and would not start a plugin beside them.
        ref several => {
            let several = several.to_vec();
            entry.fault("", KubeconfigProblem::SeveralCredentials(several));
            None
        }
    }
}

/// What no function can use.
fn refuse_others(entry: &mut Entry<'_>) {
    let impersonation = ["as", "as-uid", "as-groups", "as-user-extra"];
    let refused: [(&[&'static str], _); 4] = [
        (&["tokenFile"], KubeconfigProblem::File { instead: "token" }),
        (&["auth-provider"], KubeconfigProblem::AuthProvider),
        (&["username", "password"], KubeconfigProblem::BasicAuth),
        (&impersonation, KubeconfigProblem::Impersonation),
    ];
    for (fields, problem) in refused {
        if let Some(field) = fields.iter().find(|field| entry.is_set(field)) {
            entry.fault(field, problem);
        }
    }
}

fn token(entry: &mut Entry<'_>) -> Option<KubeconfigUser> {
    let token = entry.text("token")?;
    match appearance::why_refused(token) {
        None => Some(KubeconfigUser::Token(Token::new(token))),
        Some(why) => {
            entry.fault("token", KubeconfigProblem::Token(why));
            None
        }
    }
}

fn client_certificate(entry: &mut Entry<'_>) -> Option<KubeconfigUser> {
    let certificate = content(entry, CERTIFICATE, "client-certificate");
    let key = content(entry, KEY, "client-key");
    let certificates = certificate.and_then(|given| {
        let read = certificate::normalized(given).map_err(KubeconfigProblem::Certificate);
        entry.kept(CERTIFICATE, read)
    });
    let key = key.and_then(|given| {
        let read = private_key::read(given).map_err(KubeconfigProblem::Key);
        entry.kept(KEY, read)
    });
    let (certificates, key) = (certificates?, key?);
    let first = certificate::read(&certificates).ok();
    let first = first.and_then(|all| all.into_iter().next())?;
    if !key.fits(&first) {
        entry.fault(KEY, KubeconfigProblem::OtherKey);
        return None;
    }
    Some(KubeconfigUser::Certificate(ClientCertificate {
        certificates,
        key: key.pem,
    }))
}

/// The content of a certificate or a key. It has priority over a file, as for `kubectl`.
fn content<'a>(entry: &mut Entry<'a>, data: &'static str, file: &'static str) -> Option<&'a str> {
    let given = entry.text(data);
    if given.is_none() && !entry.has_fault(data) {
        if entry.is_set(file) {
            entry.fault(file, KubeconfigProblem::File { instead: data });
        } else {
            entry.fault(data, KubeconfigProblem::Half);
        }
    }
    given
}
