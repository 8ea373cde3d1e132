"""Names and passwords as RFC 7617 has them, and nothing else."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.auth.basic_header import Login, MalformedError, is_basic, read_basic


def basic(pair: str | bytes, scheme: str = "Basic") -> str:
    data = pair.encode() if isinstance(pair, str) else pair
    return f"{scheme} {b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("value", "login"),
    [
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ("Aladdin", "open sesame")),
        ("Basic dGVzdDoxMjPCow==", ("test", "123£")),
        (basic("ada:a:b:"), ("ada", "a:b:")),
        (basic("ada:x", "bAsIc"), ("ada", "x")),
        (basic("jose\u0301:e\u0301"), ("josé", "é")),
        ("Basic   YW5uOnJpZ2g= ", ("ann", "righ")),
        ("Basic YW5uOnJpZ2h=", ("ann", "righ")),
        (basic(f"{'n' * 128}:{'p' * 256}"), ("n" * 128, "p" * 256)),
    ],
    ids=["RFC 7617, 2", "RFC 7617, 2.1", "colons", "any case", "normal form C", "spaces", "bits that say nothing",
         "the longest"],
)  # fmt: skip
def test_what_is_read(value: str, login: tuple[str, str]) -> None:
    assert is_basic(value)
    assert read_basic(value) == login


@pytest.mark.parametrize(
    "value",
    [
        "Basic",
        "Basic ",
        "Basic\tQTpi",
        "Basic,QTpi",
        "Basic\tx QTpi",
        "Basic QTpi\t",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ= =",
        "Basic QWxhZGRpbjpvcGVu\nIHNlc2FtZQ==",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==x",
        "Basic _-9hOmI=",
        "Basic é",
        "Basic \ud800",
        basic("no colon"),
        basic(":no name"),
        basic("no password:"),
        basic(b"ada:\xff"),
        basic(b"ada:\xed\xa0\x80"),
        basic("ada:x\0"),
        basic("a\nb:x"),
        basic("ada:x\x7f"),
        basic("ada:x\u0085"),
        basic(f"{'n' * 129}:p"),
        basic(f"n:{'p' * 257}"),
        f"Basic {'A' * 100_000}",
    ],
    ids=[
        "no token", "an empty one", "a tab", "a comma", "a tab before a space", "a tab behind", "no padding", "a space within", "a line feed within",
        "behind the padding", "base64url", "beyond ASCII", "half a character", "no colon",
        "no name", "no password", "not UTF-8", "half a character in UTF-8", "NUL", "a line feed",
        "DEL", "a control character beyond ASCII", "a long name", "a long password", "huge",
    ],
)  # fmt: skip
def test_what_is_refused(value: str) -> None:
    assert is_basic(value)
    with pytest.raises(MalformedError) as failure:
        read_basic(value)
    assert "ada" not in str(failure.value)


@pytest.mark.parametrize(
    "value", ["", "Basics QQ==", "Bearer QTpC", " Basic QTpC", "BasicQTpC", "Ba\u017fic QQ"]
)
def test_what_is_another_scheme(value: str) -> None:
    assert not is_basic(value)


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_a_pair_is_read_as_it_was_written_or_refused(name: str, password: str) -> None:
    try:
        login = read_basic(basic(f"{name}:{password}".encode("utf-8", "surrogatepass")))
    except MalformedError:
        return
    assert is_basic(basic(f"{login.name}:{login.password}"))
    assert read_basic(basic(f"{login.name}:{login.password}")) == login


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_basic(f"Basic {text}")
    except MalformedError:
        return


def test_a_repr_does_not_show_it() -> None:
    assert "sesame" not in repr(Login("Aladdin", "open sesame"))
