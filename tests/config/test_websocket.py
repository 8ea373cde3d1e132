"""The values of `websocket`'s keys."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from gateway.config.models.websocket import Websocket

SECTION = TypeAdapter(Websocket)
SCHEMA = Draft202012Validator(SECTION.json_schema())


def read(**keys):
    return SECTION.validate_python(keys, context={"directory": Path()})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("*", "*"),
        ("https://app.example", "https://app.example"),
        ("https://App.Example:8443", "https://app.example:8443"),
        ("https://*.app.example", "https://*.app.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_an_origin(written, meant):
    assert read(origins=[written]).origins == (meant,)
    assert SCHEMA.is_valid({"origins": [written]})


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("https://app.example/", id="a-path"),
        pytest.param("app.example", id="no-scheme"),
        pytest.param("https://*", id="any-host"),
        pytest.param("https://eu.*.example", id="a-star-inside"),
        pytest.param("https://*app.example", id="a-star-in-a-name"),
        pytest.param("*.app.example", id="below-without-a-scheme"),
        pytest.param("https://user@app.example", id="a-user"),
        pytest.param("https://bücher.example", id="not-ascii"),
        pytest.param("null", id="null"),
        pytest.param("", id="empty"),
        pytest.param("https://app.example\n", id="a-line-end"),
    ],
)
def test_what_is_no_origin_is_refused(written):
    with pytest.raises(ValidationError, match=r"expected an origin such as https://app\.example"):
        read(origins=[written])
    assert not SCHEMA.is_valid({"origins": [written]}) or written.endswith("\n")  # Python's `$`
