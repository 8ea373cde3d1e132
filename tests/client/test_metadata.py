import pytest

from gateway.client.metadata import checked


def test_pairs_keep_their_order_and_keys_are_lower_case():
    assert checked([("B", "1"), ("a", "2"), ("b", "3")]) == (("b", "1"), ("a", "2"), ("b", "3"))


def test_a_mapping_will_do():
    assert checked({"a": "1", "b-bin": b"\x00"}) == (("a", "1"), ("b-bin", b"\x00"))


@pytest.mark.parametrize(
    ("entry", "error", "words"),
    [
        (("a b", "1"), ValueError, "no key"),
        (("", "1"), ValueError, "no key"),
        (("a", "ü"), ValueError, "printable ASCII"),
        (("a", "1\n"), ValueError, "printable ASCII"),
        (("a", b"1"), TypeError, "is a text"),
        (("a-bin", "1"), TypeError, "is bytes"),
        (("a", "x" * 9000), ValueError, "more than 8192 bytes"),
    ],
    ids=["space", "empty", "umlaut", "newline", "bytes", "text-in-bin", "size"],
)
def test_what_is_no_metadata_is_refused(entry, error, words):
    with pytest.raises(error, match=words):
        checked([entry])
