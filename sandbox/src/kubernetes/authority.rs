//! A certificate authority for one test.

use crate::kubernetes::handshake::AnyClient;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::sync::Arc;

/// A certificate authority for servers on this machine and their clients; each one is different.
pub struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Creates a key and its certificate.
    pub fn generate() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "kubernetes");
        let key = KeyPair::generate().expect("ring makes keys");
        let pem = params
            .self_signed(&key)
            .expect("the parameters are sound")
            .pem();
        Authority {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// Its certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its private key in PEM.
    pub fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A new certificate for 127.0.0.1 and its key, both in PEM.
    pub fn server_certificate(&self) -> io::Result<(String, String)> {
        let (certificate, key) = self.sign()?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    fn sign(&self) -> io::Result<(rcgen::Certificate, KeyPair)> {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let params = CertificateParams::new(names).map_err(io::Error::other)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(io::Error::other)?;
        Ok((certificate, key))
    }

    /// A certificate for a client with this key: its user is the common name, its groups are the
    /// organizations.
    pub fn client_certificate(
        &self,
        user: &str,
        groups: &[&str],
        key: &KeyPair,
    ) -> io::Result<rcgen::Certificate> {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.distinguished_name.push(DnType::CommonName, user);
        for group in groups {
            let name = &mut params.distinguished_name;
            name.push(DnType::OrganizationName, *group);
        }
        params
            .signed_by(key, &self.issuer)
            .map_err(io::Error::other)
    }

    /// The configuration of an HTTP/1.1 server on 127.0.0.1, with a new key and certificate.
    pub fn server_config(&self) -> io::Result<ServerConfig> {
        self.config(false)
    }

    /// The same; `asks` says whether it asks its clients for a certificate, and accepts any.
    pub(crate) fn config(&self, asks: bool) -> io::Result<ServerConfig> {
        let (certificate, key) = self.sign()?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = AnyClient::new(&provider);
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let builder = match asks {
            true => builder.with_client_cert_verifier(Arc::new(verifier)),
            false => builder.with_no_client_auth(),
        };
        let mut config = builder
            .with_single_cert(vec![certificate.der().clone()], private)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
