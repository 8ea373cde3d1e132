"""A surface in a file: what is written is read again, and what is no surface is refused in words."""

from __future__ import annotations

import json

import pytest

from gateway.app.surface.stored import StoredError, read, written
from tests.app.compatibility.test_surfaces import CASES, OLD


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_read_again(name: str) -> None:
    surface, _ = CASES[name]
    assert read(written(surface).encode()) == surface


def test_the_form_has_a_version() -> None:
    assert json.loads(written(OLD))["format"] == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file: "),
        (b"\xff", "the file: "),
        (b"[]", "the file: "),
        (b"{}", "sites: Field required; methods: Field required; messages: "),
        (b'{"format": 2, "sites": {}, "methods": {}, "messages": {}, "enums": {}}', "format: "),
    ],
)
def test_what_is_no_surface_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(StoredError) as refused:
        read(data)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (["sites"], {}, "sites: there is none"),
        (["messages"], {}, "there is no message "),
        (["messages", "a.v1.Rep", "fields", 0, "of"], "a.v1.No", "there is no a.v1.No"),
        (["methods"], {}, "there is no method "),
        (["sites", "", "rest", "routes", 0, "template"], "/{", "is no template"),
        (["sites", "", "rest", "routes", 0, "template"], "/{no_such}", "there is no field no_such"),
        (["sites", "", "rest", "routes", 0, "body"], "no_such", "there is no field no_such"),
        (["sites", "", "rest", "routes", 0, "response_body"], "no", "there is no field no"),
        (["sites", "", "graphql", "sdl"], "type {", "graphql.sdl: Syntax Error"),
    ],
)
def test_what_names_something_that_is_not_there_is_refused(
    path: list[str | int], value: object, says: str
) -> None:
    data = json.loads(written(OLD))
    *above, last = path
    place = data
    for each in above:
        place = place[each]
    place[last] = value
    with pytest.raises(StoredError) as refused:
        read(json.dumps(data).encode())
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
