use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A made-up key on P-256 in SEC1, and the same in PKCS#8.
const SEC1: &str = "MHcCAQEEIP8DOf+qd1mZz43HxbW14MTjahLh4BjQbO8boqXJl/cPoAoGCCqGSM49AwEHoUQDQgAEV8/8ziEeB8npcGQsDoGOSm/IH52Vba5VrQsKPUxP73KPdGDwIghh/sEOuuQWvOfS++ac4edHB+qoOMiTuTj1Bw==";
const PKCS8: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/wM5/6p3WZnPjcfFtbXgxONqEuHgGNBs7xuipcmX9w+hRANCAARXz/zOIR4HyelwZCwOgY5Kb8gfnZVtrlWtCwo9TE/vco90YPAiCGH+wQ665Ba859L75pzh50cH6qg4yJO5OPUH";

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(SEQUENCE, &parts.concat())
}

fn number(bytes: &[u8]) -> Vec<u8> {
    der(INTEGER, bytes)
}

/// A PKCS#1 key whose modulus has so many bits; its numbers are made up.
fn pkcs1(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0x5a; bits.div_ceil(8)];
    modulus[0] = 1 << ((bits - 1) % 8);
    let modulus = [&[0], &modulus[..]].concat();
    let rest = (0..7).map(|_| number(&[3; 128]));
    let parts = [number(&[0]), number(&modulus)].into_iter().chain(rest);
    sequence(&parts.collect::<Vec<_>>())
}

fn pkcs8(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let name = [der(OBJECT_ID, algorithm), parameters.to_vec()];
    sequence(&[number(&[0]), sequence(&name), der(OCTETS, key)])
}

fn sec1(curve: &[u8]) -> Vec<u8> {
    sequence(&[
        number(&[1]),
        der(OCTETS, &[7; 32]),
        der(SEC1_CURVE, &der(OBJECT_ID, curve)),
        der(SEC1_PUBLIC, &der(0x03, &[0, 4, 9, 9, 9])),
    ])
}

fn pem(label: &str, der: &[u8]) -> String {
    pem::written(label, der)
}

fn coded(label: &str, base64: &str) -> String {
    pem(label, &STANDARD.decode(base64).unwrap())
}

#[test]
fn each_format_is_read_in_each_form() {
    let keys = [
        ("RSA PRIVATE KEY", pkcs1(2048)),
        ("RSA PRIVATE KEY", pkcs1(4096)),
        ("EC PRIVATE KEY", STANDARD.decode(SEC1).unwrap()),
        ("PRIVATE KEY", STANDARD.decode(PKCS8).unwrap()),
        ("PRIVATE KEY", pkcs8(RSA, &[5, 0], &pkcs1(3072))),
        ("PRIVATE KEY", pkcs8(ED25519, &[], &der(OCTETS, &[1; 32]))),
    ];
    for (label, der) in keys {
        let whole = pem(label, &der);
        let parameters = format!(
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{whole}"
        );
        let forms = [
            whole.clone(),
            STANDARD.encode(&whole),
            whole.replace('\n', "\\n"),
            whole.replace('\n', " "),
            whole.replace('\n', "\r\n    "),
            parameters,
            // A label is not what decides.
            pem("PRIVATE KEY", &der),
            format!("{whole}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
        ];
        for form in forms {
            let key = read(&form).unwrap_or_else(|why| panic!("{label}: {why}"));
            assert_eq!(key.pem, whole);
            assert_eq!(format!("{key:?}"), "PrivateKey");
        }
    }
}

#[test]
fn what_is_not_a_usable_key_is_refused_as_what_it_is() {
    let key = coded("EC PRIVATE KEY", SEC1);
    let body = key.lines().nth(1).unwrap();
    let p521 = &[0x2b, 0x81, 0x04, 0x00, 0x23];
    let legacy = format!(
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0E4C\n\n{body}\n\
         -----END EC PRIVATE KEY-----\n"
    );
    let rows = [
        ("", KeyError::NoPem),
        ("hello", KeyError::NoPem),
        (&STANDARD.encode("hello"), KeyError::NoPem),
        (&pem("CERTIFICATE", &[0x30, 0]), KeyError::Certificate),
        (&pem("PUBLIC KEY", &[0x30, 0]), KeyError::PublicKey),
        (
            &pem("ENCRYPTED PRIVATE KEY", &[0x30, 0]),
            KeyError::Encrypted,
        ),
        (&legacy, KeyError::Encrypted),
        (&pem("OPENSSH PRIVATE KEY", &[1]), KeyError::OpenSsh),
        (&pem("DSA PRIVATE KEY", &[1]), KeyError::Algorithm),
        (&pem("X509 CRL", &[1]), KeyError::NoKey),
        (&format!("{key}{key}"), KeyError::Several),
        (&key[..key.len() - 30], KeyError::CutOff),
        (&key.replace("END EC", "END"), KeyError::Unpaired),
        (&key.replace("MHcC", "M!cC"), KeyError::NoBase64),
        (&pem("PRIVATE KEY", &[0x30, 0x05, 0x02]), KeyError::NotAKey),
        (&pem("PRIVATE KEY", b"secret"), KeyError::NotAKey),
        (
            &pem("PRIVATE KEY", &sequence(&[number(&[0]), number(&[5])])),
            KeyError::NotAKey,
        ),
        (&pem("PRIVATE KEY", &pkcs1(1024)), KeyError::RsaSize),
        (&pem("PRIVATE KEY", &pkcs1(8192)), KeyError::RsaSize),
        (
            &pem("PRIVATE KEY", &pkcs8(RSA, &[], &pkcs1(1024))),
            KeyError::RsaSize,
        ),
        (&pem("PRIVATE KEY", &sec1(p521)), KeyError::Curve),
        (
            &pem(
                "PRIVATE KEY",
                &pkcs8(EC, &der(OBJECT_ID, p521), &sec1(p521)),
            ),
            KeyError::Curve,
        ),
        (
            &pem("PRIVATE KEY", &pkcs8(&[0x2b, 0x65, 0x71], &[], &[4, 0])),
            KeyError::Algorithm,
        ),
        (
            &pem(
                "PRIVATE KEY",
                &sequence(&[number(&[1]), der(OCTETS, &[7; 32])]),
            ),
            KeyError::NoPublicHalf,
        ),
    ];
    for (value, expected) in rows {
        let error = read(value).unwrap_err();
        assert_eq!(error, expected, "{value}");
        assert!(error.to_string().starts_with("it"), "{error}");
    }
    assert!(read(&pem("PRIVATE KEY", &sec1(CURVES[1]))).is_ok());
}

#[test]
fn a_key_fits_the_certificate_that_has_its_public_half() {
    let one = read(&coded("PRIVATE KEY", PKCS8)).unwrap();
    let other = read(&pem("PRIVATE KEY", &pkcs1(2048))).unwrap();
    let ed = read(&pem("PRIVATE KEY", &pkcs8(ED25519, &[], &[4, 0]))).unwrap();
    let certificate = STANDARD.decode(SEC1).unwrap();
    assert!(one.fits(&certificate) && !one.fits(b"certificate"));
    assert!(!other.fits(&certificate) && ed.fits(&certificate));
}
