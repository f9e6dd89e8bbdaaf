//! Client certificates, and who holds one.

use crate::kubernetes::authority::Authority;
use crate::world::Identity;
use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Keys as `openssl` writes them, in PKCS#8 and in the older form. They open nothing but the
/// servers of tests.
const RSA: [&str; 2] = [
    include_str!("client/rsa-pkcs8.pem"),
    include_str!("client/rsa-pkcs1.pem"),
];
/// See [`RSA`].
const EC: [&str; 2] = [
    include_str!("client/ec-pkcs8.pem"),
    include_str!("client/ec-sec1.pem"),
];

/// The forms in which people have private keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// `PRIVATE KEY`
    Pkcs8,
    /// `RSA PRIVATE KEY`
    Pkcs1,
    /// `EC PRIVATE KEY`
    Sec1,
}

/// A client's certificate and its key, both PEM.
#[derive(Clone)]
pub struct ClientPair {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// The authority for clients, and the certificates that it has issued.
pub(crate) struct Clients {
    authority: Authority,
    issued: Mutex<Vec<(CertificateDer<'static>, Identity)>>,
}

impl Clients {
    pub(crate) fn new() -> Clients {
        Clients {
            authority: Authority::generate(),
            issued: Mutex::default(),
        }
    }

    /// Issues a certificate. Only a key in PKCS#8 is new; the others are always the same.
    pub(crate) fn issue(
        &self,
        user: &str,
        groups: &[&str],
        form: KeyForm,
    ) -> io::Result<ClientPair> {
        let (key, written) = match form {
            KeyForm::Pkcs8 => (KeyPair::generate(), None),
            KeyForm::Pkcs1 => (KeyPair::from_pem(RSA[0]), Some(RSA[1])),
            KeyForm::Sec1 => (KeyPair::from_pem(EC[0]), Some(EC[1])),
        };
        let key = key.map_err(io::Error::other)?;
        let certificate = self.authority.client_certificate(user, groups, &key)?;
        let holder = Identity {
            user: user.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        let issued = (certificate.der().clone(), holder);
        let mut all = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(issued);
        Ok(ClientPair {
            certificate: certificate.pem(),
            key: written.map_or_else(|| key.serialize_pem(), str::to_owned),
        })
    }

    /// To whom a certificate was issued.
    pub(crate) fn holder(&self, certificate: &CertificateDer<'_>) -> Option<Identity> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let found = issued.iter().find(|(known, _)| known == certificate);
        found.map(|(_, holder)| holder.clone())
    }
}
