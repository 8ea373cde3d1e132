"""Commands on the wire: https://redis.io/docs/latest/develop/reference/protocol-spec/"""

import pytest

from gateway.state.redis.packed import command, head


def test_an_array_of_bulk_strings():
    assert command((b"SET", b"key", b"v\r\n")) == b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\nv\r\n\r\n"


def test_text_is_utf_8_and_numbers_are_text():
    assert (
        command(("A", "é", -7, 1.5))
        == b"*4\r\n$1\r\nA\r\n$2\r\n\xc3\xa9\r\n$2\r\n-7\r\n$3\r\n1.5\r\n"
    )


def test_nothing_is_a_value_too():
    assert command((b"SET", b"")) == b"*2\r\n$3\r\nSET\r\n$0\r\n\r\n"


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_its_first_words_are_read_back(most):
    words = (b"GET", b"", b"a\r\n$1\r\n")
    assert head(command(words), most) == [*words[:most]]


def test_there_are_no_more_words_than_it_has():
    assert head(command((b"PING",)), 4) == [b"PING"]
