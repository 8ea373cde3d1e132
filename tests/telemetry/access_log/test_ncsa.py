"""Lines in NCSA's combined form, as Apache's mod_log_config documents `combined`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Principal
from gateway.telemetry.access_log.ncsa import NcsaLines
from gateway.telemetry.access_log.redaction import Redaction
from tests.telemetry.records import Maker, head

COMBINED = re.compile(
    r'(\S+) (\S+) (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)'
    r' "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"\n'
)


class Kept:
    def __init__(self):
        self.lines = NcsaLines(Redaction(("*token",)), now=lambda: 1_700_000_000.0)
        self.texts = []

    def called(self, call):
        pass

    def asked(self, request):
        self.texts.append(self.lines.line(request))


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def made(kept):
    return Maker(kept)


def test_a_request(made, kept):
    made.usual(head(query="a=1&token=x", user_agent="curl/8", referer="https://a.example/"))
    assert kept.texts == [
        '192.0.2.1 - ann [14/Nov/2023:22:13:19 +0000] "GET /v1/products/p1?a=1&token=- HTTP/1.1" 200 425 "https://a.example/" "curl/8"\n'
    ]


def test_secrets_of_the_page_that_led_here_are_left_out(made, kept):
    made.usual(head(referer="https://a.example/?page=1&token=s3cr3t"))
    assert '"https://a.example/?page=1&token=-"' in kept.texts[-1]


def test_the_version_is_the_clients(made, kept):
    asked = head()
    asked.version = "1.0"
    made.usual(asked)
    assert '"GET /v1/products/p1 HTTP/1.0"' in kept.texts[-1]


def test_what_is_not_there_is_a_dash(made, kept):
    record = made.request(head(peer=""))
    made.answered(record, 204, 0)
    assert kept.texts == [
        '- - - [14/Nov/2023:22:13:19 +0000] "GET /v1/products/p1 HTTP/1.1" 204 - "-" "-"\n'
    ]


def test_what_the_listener_refuses_before_it_is_a_request(made, kept):
    record = made.request(head("", verb=""))
    made.answered(record, 400, 0)
    assert '] "-" 400 - "-" "-"' in kept.texts[-1]


def test_what_came_over_a_socket_has_no_line(made, kept):
    socket = made.request()
    socket.upgraded()
    socket.on_socket("stream").end()
    socket.on_socket("operation").end()
    assert kept.texts == [None, None]
    socket.end()
    assert '" 101 -' in kept.texts[-1]


@pytest.mark.parametrize(
    ("agent", "written"),
    [
        ('a"b', r"a\"b"),
        ("a\\b", r"a\\b"),
        ("a\nb", r"a\x0ab"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("é", r"\xc3\xa9"),
    ],
)
def test_what_could_end_a_field_is_escaped(made, kept, agent, written):
    made.usual(head(user_agent=agent))
    assert kept.texts[-1].endswith(f' "{written}"\n')


def test_a_name_with_spaces_is_one_field(made, kept):
    made.usual(principal=Principal("ann lee", "customers"))
    assert kept.texts[-1].split(" ")[2] == r"ann\x20lee"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_whatever_clients_send_a_line_has_its_fields(path, agent, referer, subject):
    kept = Kept()
    principal = Principal(subject, "customers")
    asked = head(path, verb=agent or "GET", user_agent=agent, referer=referer)
    Maker(kept).usual(asked, principal)
    assert COMBINED.fullmatch(kept.texts[-1])
