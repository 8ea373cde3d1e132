"""Tokens that no gateway must take: one a way in which some verifier has been fooled.

    issuer = hostile(Issuer(url))      # publishes keys that must not be used, too
    ATTACKS["alg none"](issuer)        # the token

Sources: RFC 8725, RFC 7515 section 10, the CVEs named, Wycheproof's test vectors for JWS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.policies.auth.issuer import Issuer, SigningKey, b64

Attack = Callable[[Issuer], str]

ATTACKS: dict[str, Attack] = {}
EXPIRED = {"expired", "expired long ago", "expires now, less the leeway"}
"""Those that are refused as what they are; all others are INVALID_CREDENTIALS."""

OF_THE_FIELD = {"header: a space before", "signature: a space behind"}
"""No attacks: spaces around a token are the header field's (RFC 9110 section 5.5)."""

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def attack(name: str, make: Attack) -> None:
    assert name not in ATTACKS
    ATTACKS[name] = make


def hostile(issuer: Issuer) -> Issuer:
    """The issuer with more keys: good ones of other kinds, and such as verify nothing."""
    issuer.keys = [_key("ES256"), _key("EdDSA"), *issuer.keys]
    issuer.more = [
        _key("RS256", "for encryption").public(use="enc"),
        _key("RS256", "for wrapping").public(use=None, key_ops=["wrapKey", "encrypt"]),
        _key("RS256", "for signing only").public(use=None, key_ops=["sign"]),
        _key("RS256", "of PS512").public(alg="PS512"),
        _key("RS256", "of HS256").public(alg="HS256"),
        _key("RS256", "weak", 1024).public(),
        _key("ES384", "of ES384").public(alg=None),
        {"kty": "oct", "kid": "shared", "k": b64(b"s" * 32)},
        {"kty": "oct", "kid": "shared and for RS256", "alg": "RS256", "k": b64(b"s" * 32)},
        {"kty": "unheard of", "kid": "new"},
    ]
    return issuer


def _key(alg: str, kid: str | None = None, bits: int = 2048) -> SigningKey:
    return SigningKey.make(kid or f"{alg}-1", alg, bits=bits)


@cache
def _thief() -> SigningKey:
    return SigningKey.make("thief-1", "RS256")


def _hmac(issuer: Issuer, secret: bytes, alg: str = "HS256", **header: Any) -> str:
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
    signed = f"{b64(issuer.key.header(**{'alg': alg} | header))}.{b64(issuer.claims())}"
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), digest))}"


def _parts(issuer: Issuer, **claims: Any) -> list[str]:
    return issuer.token(**claims).split(".")


def _on_another_curve(issuer: Issuer) -> str:
    key = _key("ES384", "of ES384")
    return key.jws(key.header(alg="ES256"), issuer.claims())


def _unencoded(issuer: Issuer) -> str:
    header = b64(issuer.key.header(b64=False, crit=["b64"]))
    payload = b64(issuer.claims())
    return f"{header}.{payload}.{b64(issuer.key.sign(f'{header}.{payload}'.encode()))}"


def _der(signature: bytes) -> bytes:
    return encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )


# The algorithm (RFC 8725 sections 2.1, 3.1).

for spelled in ("none", "None", "NONE", "nOnE", "NonE ", "none\x00", ""):

    def unsigned(issuer: Issuer, signature: str = "", spelled: str = spelled) -> str:
        return f"{b64(issuer.key.header(alg=spelled))}.{b64(issuer.claims())}.{signature}"

    attack(f"alg {spelled!r}", unsigned)
    attack(f"alg {spelled!r} with some signature", lambda i, f=unsigned: f(i, "AAAA"))
    attack(f"alg {spelled!r} with the good signature", lambda i, f=unsigned: f(i, _parts(i)[2]))

attack("alg none without its dot", lambda i: f"{b64({'alg': 'none'})}.{b64(i.claims())}")
attack("alg none without a kid", lambda i: f"{b64({'alg': 'none'})}.{b64(i.claims())}.")
for value in (None, 5, ["RS256"], {"RS256": 1}, True):
    attack(
        f"alg is {value!r}",
        lambda i, v=value: i.key.jws({"alg": v, "kid": i.key.kid}, i.claims()),
    )
attack("alg is missing", lambda i: i.key.jws({"typ": "JWT", "kid": i.key.kid}, i.claims()))
for alg in (
    "RS512",
    "PS256",
    "ES256",
    "EdDSA",
    "RS1",
    "rs256",
    "RS256 ",
    "ES256K",
    "A128KW",
    "dir",
):
    attack(f"alg {alg} over a signature of RS256", lambda i, a=alg: i.token(header={"alg": a}))
attack("an algorithm that the config does not name", lambda i: _same(i, "RS384"))
attack("PSS by a key for PKCS 1", lambda i: _same(i, "PS256"))


def _same(issuer: Issuer, alg: str) -> str:
    other = SigningKey(issuer.key.kid, alg, issuer.key.private)
    return other.jws(other.header(), issuer.claims())


# A public key taken for a secret (CVE-2015-9235, CVE-2016-10555).


def _pem(issuer: Issuer, number: int = -1, form: str = "SubjectPublicKeyInfo") -> bytes:
    return (
        issuer.keys[number]
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, getattr(serialization.PublicFormat, form))
    )


attack("HS256 by the public key in PEM", lambda i: _hmac(i, _pem(i)))
attack("HS256 by the public key in PEM, without its end", lambda i: _hmac(i, _pem(i).strip()))
attack("HS256 by the public key in PEM of PKCS 1", lambda i: _hmac(i, _pem(i, form="PKCS1")))
attack("HS384 by the public key", lambda i: _hmac(i, _pem(i), "HS384"))
attack("HS512 by the public key", lambda i: _hmac(i, _pem(i), "HS512"))
attack("HS256 by the public key, without a kid", lambda i: _hmac(i, _pem(i), kid=None))
attack(
    "HS256 by the public key in DER",
    lambda i: _hmac(i, base64.b64decode(b"".join(_pem(i).splitlines()[1:-1]))),
)
attack("HS256 by the JWK", lambda i: _hmac(i, json.dumps(i.key.public()).encode()))
attack("HS256 by the modulus", lambda i: _hmac(i, i.key.public()["n"].encode()))
attack("HS256 by an EC key", lambda i: _hmac(i, _pem(i, 0), kid=i.keys[0].kid))
attack("HS256 by nothing", lambda i: _hmac(i, b""))
attack("HS256 by a shared key that is published", lambda i: _hmac(i, b"s" * 32, kid="shared"))
attack(
    "HS256 by a shared key that says RS256",
    lambda i: _hmac(i, b"s" * 32, kid="shared and for RS256"),
)

# The name of the key (RFC 8725 section 3.10).

for kid in (
    *(
        "../../../../dev/null",
        "/dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "file:///etc/passwd",
    ),
    *("x' UNION SELECT 'secret'; --", "1 OR 1=1", "|cat /etc/passwd", "${jndi:ldap://127.0.0.1/a}"),
    *(
        "http://127.0.0.1:1/key",
        "RS256-1\x00",
        "rs256-1",
        " RS256-1",
        "RS256-1/",
        "*",
        "",
        "__class__",
    ),
):
    attack(f"kid {kid!r} and no secret", lambda i, k=kid: _hmac(i, b"", kid=k))
    attack(f"kid {kid!r}", lambda i, k=kid: i.token(header={"kid": k}))
for value in (5, True, [], ["RS256-1"], {"$ne": None}):
    attack(f"kid is {value!r}", lambda i, v=value: i.token(header={"kid": v}))
attack(
    "kid is null",
    lambda i: i.key.jws('{"alg":"RS256","kid":null}', i.claims()),
)

# Keys that the token brings along (CVE-2018-0114), or says where to find.

for kid in ("thief-1", "RS256-1", None):
    for name, member in {
        "jwk": {"jwk": _thief().public()},
        "jwk private": {"jwk": _thief().public(d="AQAB")},
        "jku": {"jku": "http://127.0.0.1:1/jwks.json"},
        "x5u": {"x5u": "http://127.0.0.1:1/key.pem"},
        "x5c": {"x5c": [base64.b64encode(b"certificate").decode()]},
        "jwk and jku": {"jwk": _thief().public(), "jku": "file:///dev/null"},
        "keys": {"keys": [_thief().public()]},
        "nothing": {},
    }.items():
        attack(
            f"another key, by {name}, kid {kid}",
            lambda i, m=member, k=kid: i.token(key=_thief(), header=m | {"kid": k}),
        )

# Keys that are not for this (RFC 7517 sections 4.2, 4.3, 4.4; RFC 8725 section 3.5).

for kid in ("for encryption", "for wrapping", "for signing only", "of PS512", "of HS256"):
    attack(f"a key {kid}", lambda i, k=kid: i.token(key=_key("RS256", k)))
attack("a weak key", lambda i: i.token(key=_key("RS256", "weak", 1024)))
attack("a key of P-384 for ES256", _on_another_curve)


# Extensions and types.

for crit in (["exp"], ["b64"], ["urn:example:x"], [], "exp", None, ["crit"], {"exp": True}):
    attack(
        f"crit {crit!r}",
        lambda i, c=crit: i.key.jws(
            json.dumps(i.key.header() | {"crit": c, "urn:example:x": 1}), i.claims()
        ),
    )
attack("b64 false", lambda i: i.token(header={"b64": False}))
attack("b64 false, as it must be written", _unencoded)
attack("zip within crit", lambda i: i.token(header={"zip": "DEF", "crit": ["zip"]}))


for typ in (
    "JWE",
    "JOSE",
    "dpop+jwt",
    "logout+jwt",
    "secevent+jwt",
    "rt+jwt",
    "",
    "JWT ",
    "application/json",
):
    attack(f"typ {typ!r}", lambda i, t=typ: i.token(header={"typ": t}))
for value in (5, ["JWT"], {"JWT": 1}, False):
    attack(f"typ is {value!r}", lambda i, v=value: i.token(header={"typ": v}))
attack("typ is null", lambda i: i.key.jws('{"alg":"RS256","kid":"RS256-1","typ":null}', i.claims()))
for cty in ("JWT", "jwt", "application/jwt", "at+jwt"):
    attack(
        f"a token in a token, cty {cty}", lambda i, c=cty: i.key.jws(i.key.header(cty=c), i.token())
    )
    attack(f"claims with cty {cty}", lambda i, c=cty: i.token(header={"cty": c}))
attack("a token in a token, unsaid", lambda i: i.key.jws(i.key.header(), i.token()))
attack("a token in a token, as JSON", lambda i: i.key.jws(i.key.header(), json.dumps(i.token())))
attack("encrypted, five parts", lambda i: ".".join([*_parts(i), "AAAA", "AAAA"]))
attack("an encrypted one's header", lambda i: i.token(header={"enc": "A128GCM"}))
attack(
    "JSON serialization",
    lambda i: json.dumps(dict(zip(("protected", "payload", "signature"), _parts(i), strict=True))),
)

# Signatures.

attack("no signature", lambda i: ".".join([*_parts(i)[:2], ""]))
attack("a signature of zeros", lambda i: ".".join([*_parts(i)[:2], b64(bytes(256))]))
attack("a signature less its end", lambda i: i.token()[:-4])
attack("a signature with a byte more", lambda i: _resigned(i, lambda s: s + b"\0"))
attack("a signature with a zero before it", lambda i: _resigned(i, lambda s: b"\0" + s))
attack("a signature of twice its length", lambda i: _resigned(i, lambda s: s + s))
attack("one bit of the signature", lambda i: _resigned(i, lambda s: s[:-1] + bytes([s[-1] ^ 1])))
attack(
    "the signature of another token", lambda i: ".".join([*_parts(i)[:2], _parts(i, sub="bob")[2]])
)
attack("other claims", lambda i: ".".join([_parts(i)[0], b64(i.claims(sub="root")), _parts(i)[2]]))
attack(
    "another header",
    lambda i: ".".join([b64(i.key.header(extra=1)), *_parts(i)[1:]]),
)
attack(
    "the header's and the payload's places", lambda i: ".".join([_parts(i)[n] for n in (1, 0, 2)])
)


def _resigned(
    issuer: Issuer, change: Callable[[bytes], bytes], key: SigningKey | None = None
) -> str:
    header, payload, signature = issuer.token(key=key).split(".")
    padded = signature + "=" * (-len(signature) % 4)
    return f"{header}.{payload}.{b64(change(base64.urlsafe_b64decode(padded)))}"


def _point(r: int, s: int) -> Callable[[bytes], bytes]:
    return lambda _: r.to_bytes(32, "big") + s.to_bytes(32, "big")


for name, change in {
    "r = s = 0 (CVE-2022-21449)": _point(0, 0),
    "r = 0, s = 1": _point(0, 1),
    "r = 1, s = 0": _point(1, 0),
    "r = s = 1": _point(1, 1),
    "r = s = the order": _point(P256_ORDER, P256_ORDER),
    "r = the order, s = 0": _point(P256_ORDER, 0),
    "r = s = the most": _point(2**256 - 1, 2**256 - 1),
    "in DER": _der,
    "r alone": lambda s: s[:32],
    "with a zero before each half": lambda s: b"\0" + s[:32] + b"\0" + s[32:],
    "with a byte more": lambda s: s + b"\0",
    "of one byte": lambda s: s[:1],
}.items():
    attack(f"ECDSA, {name}", lambda i, c=change: _resigned(i, c, i.keys[0]))


ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493

for name, change in {
    "of zeros": lambda _: bytes(64),
    "of the neutral point": lambda _: b"\1" + bytes(63),
    "less a byte": lambda s: s[:-1],
    "with a byte more": lambda s: s + b"\0",
    "with S + L (RFC 8032 section 5.1.7)": lambda s: (
        s[:32] + (int.from_bytes(s[32:], "little") + ED25519_ORDER).to_bytes(32, "little")
    ),
}.items():
    attack(f"EdDSA, {name}", lambda i, c=change: _resigned(i, c, i.keys[1]))

# One token, one text (RFC 7515 section 2; RFC 8725 section 3.7).


def _text(name: str, change: Callable[[list[str]], str]) -> None:
    attack(name, lambda i: change(_parts(i)))


for number, part in enumerate(("header", "payload", "signature")):

    def _changed(change: Callable[[str], str], number: int = number) -> Callable[[list[str]], str]:
        return lambda parts: ".".join(
            change(each) if place == number else each for place, each in enumerate(parts)
        )

    for what, change in {
        "padding": lambda text: text + "=" * (-len(text) % 4 or 4),
        "one sign of padding": lambda text: text + "=",
        "a space behind": lambda text: text + " ",
        "a space before": lambda text: " " + text,
        "a space within": lambda text: text[:4] + " " + text[4:],
        "a tab": lambda text: text[:4] + "\t" + text[4:],
        "a character of no alphabet": lambda text: text[:4] + "!" + text[4:],
        "a character beyond ASCII": lambda text: text[:4] + "é" + text[4:],
        "a tilde": lambda text: text + "~",
        "four characters more": lambda text: text + "AAAA",
        "one character more": lambda text: text + "A",
        "percent encoding": lambda text: "%" + text[:1].encode().hex() + text[1:],
        "nothing": lambda _: "",
    }.items():
        if f"{part}: {what}" not in OF_THE_FIELD:
            _text(f"{part}: {what}", _changed(change))

_text(
    "bits that say nothing, in the signature", lambda p: ".".join([*p[:2], _with_idle_bits(p[2])])
)
_text("the other alphabet", lambda p: ".".join(p).replace("-", "+").replace("_", "/"))
_text("a dot behind", lambda p: ".".join(p) + ".")
_text("a dot before", lambda p: "." + ".".join(p))
_text("two dots", "..".join)
_text("four parts", lambda p: ".".join([*p, "AAAA"]))
_text("two parts", lambda p: ".".join(p[:2]))
_text("one part", lambda p: p[0])
_text("quotes", lambda p: '"' + ".".join(p) + '"')
_text("two tokens", lambda p: ".".join(p) + "," + ".".join(p))
_text("two tokens, a space between", lambda p: ".".join(p) + " " + ".".join(p))
attack("only dots", lambda _: "..")
attack("no token at all", lambda _: "not-a-token")


def _with_idle_bits(text: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(text) % 4, "the last character has bits to spare"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def _raw(name: str, payload: Callable[[Issuer], str | bytes]) -> None:
    attack(name, lambda i: i.key.jws(i.key.header(), payload(i)))


def _json(issuer: Issuer, **claims: Any) -> str:
    return json.dumps(issuer.claims(**claims))


_raw("a claim twice", lambda i: _json(i)[:-1] + ', "sub": "root"}')
_raw("a claim twice, the same", lambda i: _json(i)[:-1] + ', "sub": "ada"}')
_raw("a claim twice, once escaped", lambda i: _json(i)[:-1] + ', "s\\u0075b": "root"}')
_raw("exp twice", lambda i: '{"exp": 9999999999, ' + _json(i, exp=1)[1:])
_raw("iss twice", lambda i: '{"iss": "https://evil.example", ' + _json(i)[1:])
_raw("a claim twice, within another", lambda i: _json(i)[:-1] + ', "x": {"a": 1, "a": 2}}')
for header in (
    '{"alg":"none","alg":"RS256","kid":"RS256-1"}',
    '{"alg":"RS256","alg":"none","kid":"RS256-1"}',
    '{"alg":"RS256","kid":"RS256-1","\\u0061lg":"RS256"}',
    '{"alg":"RS256","kid":"x","kid":"RS256-1"}',
    '{"alg":"RS256","kid":"RS256-1"}{}',
    '["RS256"]',
    '"RS256"',
    "",
    "null",
):
    attack(f"header {header}", lambda i, h=header: i.key.jws(h, i.claims()))
_raw("a byte order mark", lambda i: "\ufeff" + _json(i))
_raw("UTF-16", lambda i: _json(i).encode("utf-16"))
_raw("a byte that is no UTF-8", lambda i: _json(i).encode()[:-1] + b', "x": "\xff"}')
_raw("half a surrogate pair", lambda i: _json(i)[:-1] + ', "x": "\\ud800"}')
_raw("JSON behind JSON", lambda i: _json(i) + "{}")
_raw("a comma at the end", lambda i: _json(i)[:-1] + ",}")
_raw("far too deep", lambda i: _json(i)[:-1] + ', "x": ' + "[" * 2000 + "]" * 2000 + "}")
_raw("a list", lambda i: json.dumps([i.claims()]))
_raw("null", lambda _: "null")
_raw("no claims", lambda _: "{}")
_raw("empty", lambda _: "")

# Claims (RFC 7519 section 4.1, RFC 8725 sections 3.8 to 3.12).


def _claims(name: str, **claims: Any) -> None:
    """Times are seconds from now where they are in a tuple."""

    def made(issuer: Issuer) -> str:
        now = int(time.time())
        shown = {
            key: now + value[0] if isinstance(value, tuple) else value
            for key, value in claims.items()
        }
        return issuer.key.jws(issuer.key.header(), issuer.claims(iat=None) | shown)

    attack(name, made)


_claims("expired", exp=(-3600,))
_claims("expired long ago", exp=0)
_claims("expires now, less the leeway", exp=(-31,))
attack("never expires", lambda i: i.token(exp=None))
for value in ("9999999999", True, None, [9999999999], {}, -1, 1e300, 10**30, 9999999999999):
    _claims(f"exp is {value!r}", exp=value)
for text in ("NaN", "Infinity", "1e999", "0x7fffffff", "1" * 5000):
    _raw(f"exp is {text[:20]}", lambda i, t=text: _json(i, exp="X").replace('"X"', t))
_claims("not yet valid", nbf=(3600,))
_claims("not yet valid, more than the leeway", nbf=(45,))
_claims("from the future", iat=(3600,))
for name in ("nbf", "iat"):
    for value in ("0", True, None, [], -1, 1e300):
        _claims(f"{name} is {value!r}", **{name: value})
attack("no issuer", lambda i: i.token(iss=None))
for change in (
    lambda url: url + "/",
    lambda url: url.replace("http", "HTTP", 1),
    lambda url: url + " ",
    lambda url: url + "\x00",
    lambda url: [url],
    lambda url: {"url": url},
    lambda url: url.replace("//", "//evil@", 1),
    lambda url: url[:-1],
    lambda _: "",
    lambda _: "https://evil.example",
):
    attack(f"issuer {change('http://id')!r}", lambda i, c=change: i.token(iss=c(i.url)))
for value in (
    *("Shop", "shop ", "shop2", "sho", "", "another", " shop", "shop other", "shop,other", "*"),
    *(
        [],
        ["another"],
        ["shops"],
        [""],
        {"shop": True},
        5,
        True,
        [["shop"]],
        ["shop", 5],
        ["shop", None],
    ),
):
    _claims(f"audience {value!r}", aud=value)
attack("no audience", lambda i: i.token(aud=None))
attack("no subject", lambda i: i.token(sub=None))
for value in (
    "",
    "x" * 256,
    5,
    True,
    ["ada"],
    {"id": "ada"},
    "ada\r\nx-admin: 1",
    "ada\x00",
    "ada\x7f",
):
    _claims(f"subject {str(value)[:20]!r}", sub=value)
for name in ("scope", "roles"):
    for value in (5, True, {"orders.read": True}, [5], ["a", None], [["a"]]):
        _claims(f"{name} is {value!r}", **{name: value})
for value in (5, True, [], ["pro"], {}):
    _claims(f"plan is {value!r}", plan=value)
_claims("a token of 17 KiB", padding="x" * 13_000)
attack("1 MB", lambda i: i.token(padding="x" * 1_000_000))
