"""`gateway keys signing`: makes the key with which the gateway signs what backends are told."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.failure import Exit, Failure


class Curve(StrEnum):
    """Of which a key is, and so how it signs."""

    P256 = "p256"
    ED25519 = "ed25519"


def signing(
    out: Annotated[Path, typer.Option("--out", help="The file to write; it must not exist.")],
    curve: Annotated[
        Curve, typer.Option("--curve", help="p256 signs ES256, ed25519 signs EdDSA.")
    ] = Curve.P256,
) -> None:
    """Make a key for auth.forward.token, which only this user can read.

    Backends find its public half in /jwks.json of the admin listener. To replace a key: name the
    new file in auth.forward.token.publish and reload; once backends have read /jwks.json again,
    make it auth.forward.token.key, name the old one in publish and reload; take that out when its
    last token is past its lifetime.
    """
    pem = _made(curve)
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = f"{out} exists; a key is never overwritten. Choose another name."
        raise Failure(text) from None
    except OSError as failure:
        text = f"{out} can't be written: {failure.strerror}"
        raise Failure(text, code=Exit.FAILED) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    typer.echo(f"wrote {out}; set auth.forward.token.key.file to it")


def _made(curve: Curve) -> bytes:
    # Each of these takes a tenth of a second to import: only who makes a key waits for them.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  see above
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415  see above

    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    if curve is Curve.P256:
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
