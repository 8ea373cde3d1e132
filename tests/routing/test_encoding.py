"""Percent-encoding in paths, by rest.md's rules and RFC 3986; the rows are in encoding.yaml."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.routing.escape import EscapeError, decode, decode_query
from gateway.routing.router import Match, NotFound, RouterBuilder
from gateway.routing.template import parse

ROWS = yaml.safe_load(Path(__file__).with_name("encoding.yaml").read_text())
TEMPLATES = (
    "/v1/info",
    "/v1/things/{id}",
    "/v1/things/{id}:cancel",
    "/v1/files/{name=**}",
    "/v1/{name=shelves/*}",
    "/v1/{name=shelves/*}:cancel",
)

# What a segment can hold: any text but NUL, and not a dot segment.
segments = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
segments = segments.filter(lambda text: text not in (".", ".."))


@pytest.fixture(scope="module")
def router():
    builder = RouterBuilder()
    for text in TEMPLATES:
        builder.add("GET", parse(text), text, label=text, source="")
    return builder.freeze()


def each(kind):
    return pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS[kind]])


@each("decoded")
def test_a_path_is_split_first_and_decoded_once(router, row):
    found = router.match("GET", row["path"])
    assert isinstance(found, Match)
    assert list(found.captures) == row["captures"]


@each("not_found")
def test_an_escaped_slash_separates_nothing(router, row):
    assert router.match("GET", row["path"]) == NotFound()


@each("refused")
def test_a_path_that_has_no_one_reading_is_refused(router, row):
    with pytest.raises(RpcError) as caught:
        router.match("GET", row["path"])
    assert caught.value.reason == "INVALID_PATH"


@given(segments)
def test_a_single_segment_comes_back_as_it_was_encoded(router, text):
    found = router.match("GET", "/v1/things/" + quote(text, safe=""))
    assert found == Match("/v1/things/{id}", (text,))


@given(st.lists(segments, min_size=1))
def test_several_segments_come_back_but_for_their_escaped_slashes(router, parts):
    path = "/".join(quote(part, safe="") for part in parts)
    found = router.match("GET", "/v1/files/" + path.replace(":", "%3A"))
    expected = "/".join(part.replace("/", "%2F") for part in parts)
    assert found == Match("/v1/files/{name=**}", (expected,))


@given(st.text())
def test_any_text_decodes_or_is_refused(text):
    for keep_slash in (False, True):
        with suppress(EscapeError):
            assert "\0" not in decode(text, keep_slash=keep_slash)


@given(st.binary(), st.booleans())
def test_it_decodes_as_the_standard_library_does(data, escaped):
    raw = data.decode("latin-1").replace("%", "%25").replace("\0", "0")
    raw = quote(raw.encode("latin-1")) if escaped else raw.replace("a", "%61")
    try:
        expected = unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeError:
        with pytest.raises(EscapeError):
            decode(raw)
    else:
        assert decode(raw) == expected


@pytest.mark.parametrize("blank", [" ", "\n", "\r\n", " \n", "\t", "=\n", "=", "_"])
def test_blanks_and_equals_signs_are_text(blank):
    assert decode(f"a{blank}%41{blank}") == f"a{blank}A{blank}"


@pytest.mark.parametrize(
    ("raw", "text"), [("a+b", "a b"), ("a%2Bb", "a+b"), ("%20", " "), ("", ""), ("%3D%26", "=&")]
)
def test_a_plus_is_a_space_in_a_query(raw, text):
    assert decode_query(raw) == text
