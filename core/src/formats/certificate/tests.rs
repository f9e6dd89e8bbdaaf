use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A DER sequence of so many bytes: enough for the reader of PEM, which looks no deeper.
fn der(length: u8) -> Vec<u8> {
    let content = (0..length).map(|index| index.wrapping_mul(37));
    [0x30, 0x81, length].into_iter().chain(content).collect()
}

fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
}

/// Made up: kubernetes-admin, until 2036.
const SHORT: &str = "MIIBvTCCAWOgAwIBAgIUIYWsNROgqB8BO6uReZpTYlBaREQwCgYIKoZIzj0EAwIwNDEXMBUGA1UECgwOc3lzdGVtOm1hc3RlcnMxGTAXBgNVBAMMEGt1YmVybmV0ZXMtYWRtaW4wHhcNMjYxMTI4MTkxMzMxWhcNMzYxMTI1MTkxMzMxWjA0MRcwFQYDVQQKDA5zeXN0ZW06bWFzdGVyczEZMBcGA1UEAwwQa3ViZXJuZXRlcy1hZG1pbjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFfP/M4hHgfJ6XBkLA6BjkpvyB+dlW2uVa0LCj1MT+9yj3Rg8CIIYf7BDrrkFrzn0vvmnOHnRwfqqDjIk7k49QejUzBRMB0GA1UdDgQWBBSCBsl5QFM8SF/r2NaNKvBoDZarUDAfBgNVHSMEGDAWgBSCBsl5QFM8SF/r2NaNKvBoDZarUDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQC1rI+BqMLvl0X3lK6yUq4BiCAdc4ivELmM+WOMKZf0QQIgOQ2XTEJEshgoDkCaJRmvmMO5C6ZV6jpvouRPqtuSe0k=";

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";

#[test]
fn a_pem_is_read_whatever_became_of_its_line_breaks() {
    let whole = pem(&der(200));
    let two = format!("{whole}{}", pem(&der(150)));
    let indented = whole.replace('\n', "\n    ");
    let glued = whole.replace('\n', "");
    for (name, value) in [
        ("as it is", whole.clone()),
        ("CRLF", whole.replace('\n', "\r\n")),
        ("\\n", whole.replace('\n', "\\n")),
        ("\\r\\n", whole.replace('\n', "\\r\\n")),
        ("\\\\n", whole.replace('\n', "\\\\n")),
        ("blanks", whole.replace('\n', " ")),
        ("tabs", whole.replace('\n', "\t")),
        ("nothing", glued.clone()),
        ("no blanks at all", glued.replace(' ', "")),
        ("indented", indented),
        ("quoted", format!("\"{}\"", whole.replace('\n', "\\n"))),
        ("text before", format!("subject=/CN=x\n{whole}")),
        ("a key before", format!("{KEY}{whole}")),
        (
            "a key after, in one line",
            format!("{whole}{KEY}").replace('\n', ""),
        ),
        ("base64", STANDARD.encode(&whole)),
        (
            "base64, wrapped",
            STANDARD
                .encode(&whole)
                .as_bytes()
                .chunks(76)
                .map(String::from_utf8_lossy)
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        (
            "base64, unpadded",
            STANDARD.encode(&whole).trim_end_matches('=').to_owned(),
        ),
        ("base64 of one line", STANDARD.encode(&glued)),
        ("a byte order mark", format!("\u{feff}{whole}")),
        ("a zero-width space", glued.replacen("=", "\u{200b}=", 1)),
        (
            "slashes in JSON",
            whole.replace('/', "\\/").replace('\n', "\\n"),
        ),
        (
            "JSON of .NET",
            whole.replace('+', "\\u002B").replace('=', "\\u003d"),
        ),
        ("an old label", whole.replace(" CERT", " X509 CERT")),
        ("long dashes", whole.replace("-----", "------")),
    ] {
        assert_eq!(normalized(&value), Ok(whole.clone()), "{name}");
    }
    for value in [two.clone(), two.replace('\n', ""), STANDARD.encode(&two)] {
        assert_eq!(normalized(&value), Ok(two.clone()));
    }
}

#[test]
fn a_pem_that_cannot_be_read_whole_is_refused() {
    let whole = pem(&der(200));
    let end = "-----END CERTIFICATE-----";
    for (value, expected) in [
        (String::new(), CertificateError::NoPem),
        ("x".to_owned(), CertificateError::NoPem),
        ("AAAA".to_owned(), CertificateError::NoPem),
        (KEY.to_owned(), CertificateError::NoCertificate),
        (STANDARD.encode(KEY), CertificateError::NoCertificate),
        ("-----".to_owned(), CertificateError::NoCertificate),
        (whole.replace(end, ""), CertificateError::CutOff),
        (whole[..200].to_owned(), CertificateError::CutOff),
        (whole[..20].to_owned(), CertificateError::CutOff),
        (
            whole.trim_end()[..whole.len() - 8].to_owned(),
            CertificateError::CutOff,
        ),
        (
            format!("{}{whole}", &whole[..100]),
            CertificateError::CutOff,
        ),
        (
            whole.replace("-----BEGIN CERTIFICATE-----", ""),
            CertificateError::Unpaired,
        ),
        (format!("{end}\n{whole}"), CertificateError::Unpaired),
        (
            whole.replace("END CERTIFICATE", "END PRIVATE KEY"),
            CertificateError::Unpaired,
        ),
        (whole.replacen("MIH", "M!H", 1), CertificateError::NoBase64),
        (whole.replacen("MIH", "…", 1), CertificateError::NoBase64),
        (whole.replacen("MIHI", "", 1), CertificateError::NoX509),
        (whole.replacen("MIHI", "MIHH", 1), CertificateError::NoX509),
        (pem(b""), CertificateError::NoX509),
        (pem(b"0"), CertificateError::NoX509),
        (pem(&[0x30, 0x84, 0xff]), CertificateError::NoX509),
        (pem(&[0x30, 0xff, 0]), CertificateError::NoX509),
    ] {
        assert_eq!(read(&value), Err(expected), "{value}");
    }
}

#[test]
fn a_certificate_says_when_it_expires() {
    let der = STANDARD.decode(SHORT).unwrap();
    let until = |der: &[u8]| expires(&CertificateDer::from(der)).map(|at| at.to_string());
    assert_eq!(until(&der).as_deref(), Some("2036-11-25T19:13:31Z"));
    // The second time of the validity, in the form of years from 2050 on, which is longer by two.
    let mut parts = der.clone();
    let at = parts
        .windows(6)
        .position(|it| it == b"\x17\x0d3611")
        .unwrap();
    parts[at..at + 2].copy_from_slice(&[0x18, 0x0f]);
    parts.splice(at + 2..at + 2, *b"20");
    let validity = at - 15 - 2;
    assert_eq!(parts[validity..validity + 2], [0x30, 0x1e]);
    parts[validity + 1] += 2;
    let outer = [(2, 2), (6, 2)];
    for (place, more) in outer {
        let length = u16::from_be_bytes([parts[place], parts[place + 1]]) + more;
        parts[place..place + 2].copy_from_slice(&length.to_be_bytes());
    }
    assert_eq!(until(&parts).as_deref(), Some("2036-11-25T19:13:31Z"));
    let mut last_century = der.clone();
    last_century[at + 2] = b'9';
    assert_eq!(
        until(&last_century).as_deref(),
        Some("1996-11-25T19:13:31Z")
    );
    for broken in [&b""[..], b"0\0", &der[..60]] {
        assert_eq!(until(broken), None);
    }
}

#[test]
fn the_body_of_a_certificate_alone_is_one() {
    let certificate = STANDARD.decode(SHORT).unwrap();
    for value in [SHORT.to_owned(), format!("\"{}\\n\"", SHORT)] {
        let read = read(&value).unwrap();
        assert_eq!(read, [CertificateDer::from(certificate.clone())]);
    }
}

#[test]
fn what_is_given_instead_of_a_certificate_is_called_what_it_is() {
    let section = |label: &str| format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
    let packed = |bytes: &[u8]| STANDARD.encode(bytes);
    let kubeconfig = "apiVersion: v1\nclusters:\n- cluster:\n    server: https://10.0.0.1\n";
    for (value, expected) in [
        (section("CERTIFICATE REQUEST"), Lookalike::Request),
        (section("NEW CERTIFICATE REQUEST"), Lookalike::Request),
        (section("PKCS7"), Lookalike::Bundle),
        (section("TRUSTED CERTIFICATE"), Lookalike::Trusted),
        (section("X509 CRL"), Lookalike::Revoked),
        (section("PUBLIC KEY"), Lookalike::PublicKey),
        (STANDARD.encode(section("PKCS7")), Lookalike::Bundle),
        // A sequence of a request's first values; of an object identifier; of a version.
        (packed(b"\x30\x05\x30\x03\x02\x01\x00"), Lookalike::Request),
        (
            packed(b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
            Lookalike::Bundle,
        ),
        (packed(b"\x30\x03\x02\x01\x03"), Lookalike::Store),
        (kubeconfig.to_owned(), Lookalike::Kubeconfig),
        (STANDARD.encode(kubeconfig), Lookalike::Kubeconfig),
        ("${CA_DATA}".to_owned(), Lookalike::Unfilled),
        (STANDARD.encode("${CA_DATA}"), Lookalike::Unfilled),
        ("$(cat ca.crt)".to_owned(), Lookalike::Unfilled),
        ("{{ .Values.ca }}".to_owned(), Lookalike::Unfilled),
        ("<base64 of the CA>".to_owned(), Lookalike::Unfilled),
        (
            section("CERTIFICATE").replace("MAA=", "${CA_DATA}"),
            Lookalike::Unfilled,
        ),
        ("<nil>".to_owned(), Lookalike::Missing),
        (
            STANDARD.encode(STANDARD.encode(pem(&STANDARD.decode(SHORT).unwrap()))),
            Lookalike::Twice,
        ),
        (STANDARD.encode(SHORT), Lookalike::Twice),
        ("eyJhbGciOi.eyJpc3M.QUJD".to_owned(), Lookalike::Token),
        ("k8s-aws-v1.aHR0cHM".to_owned(), Lookalike::Token),
        ("ca.crt".to_owned(), Lookalike::Path),
        ("/etc/kubernetes/pki/ca.crt".to_owned(), Lookalike::Path),
        (
            "/landfall/certificate-authority.pem".to_owned(),
            Lookalike::Path,
        ),
        ("https://ca.example.com/ca".to_owned(), Lookalike::Path),
        ("a1".repeat(32), Lookalike::Fingerprint),
        (
            format!("sha256:{}", "a1".repeat(32)),
            Lookalike::Fingerprint,
        ),
        (["A1"; 20].join(":"), Lookalike::Fingerprint),
    ] {
        let error = read(&value).unwrap_err();
        assert_eq!(error, CertificateError::Other(expected), "{value}");
        assert!(!error.to_string().contains("neither"), "{error}");
    }
    // A key is never told more of, and one beside a certificate does not matter.
    let both = format!("{}{}", section("CERTIFICATE REQUEST"), pem(&der(200)));
    assert!(read(&both).is_ok());
    assert_eq!(read(KEY), Err(CertificateError::NoCertificate));
}
