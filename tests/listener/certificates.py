"""Certificates with any names in them, signed by themselves: what `read` is to read."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

ENDS = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


@cache
def key():
    return ec.generate_private_key(ec.SECP256R1())


def name(**parts):
    """A distinguished name, `name(CN="billing", O="Shop")` in the order of its encoding."""
    oids = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "C": NameOID.COUNTRY_NAME}
    return x509.Name([x509.NameAttribute(oids[part], text) for part, text in parts.items()])


def made(subject=None, names=(), *extensions):
    """A certificate's DER.

    Args:
        subject: Its distinguished name.
        names: Its subject alternative names.
        extensions: More of it.
    """
    subject = x509.Name([]) if subject is None else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(name(CN="authority"))
        .public_key(key().public_key())
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(ENDS)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key(), hashes.SHA256()).public_bytes(Encoding.DER)


def usage(**bits):
    """A key's usage with these bits set."""
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{bit: bits.get(bit, False) for bit in every})
