"""Issues client certificates, with keys in every form in which people have them.

stdin: {"ca": {"certificate", "key"}, "clients": [{"user", "group", "algorithm", "form", "days"}]},
stdout: [{"certificate", "key"}], all PEM.
"""

import datetime
import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEYS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
# The traditional form is PKCS#1 for RSA, and SEC1 for elliptic curves.
FORMS = {
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
}


def issued(ca, ca_key, client):
    key = KEYS[client["algorithm"]]()
    name = [x509.NameAttribute(NameOID.COMMON_NAME, client["user"])]
    if client["group"]:
        name.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, client["group"]))
    begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=2)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(name))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=client["days"]))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    return {
        "certificate": certificate.public_bytes(pem).decode(),
        "key": key.private_bytes(pem, FORMS[client["form"]], plain).decode(),
    }


given = json.load(sys.stdin)
ca = x509.load_pem_x509_certificate(given["ca"]["certificate"].encode())
ca_key = serialization.load_pem_private_key(given["ca"]["key"].encode(), None)
json.dump([issued(ca, ca_key, client) for client in given["clients"]], sys.stdout)
