"""Cookies as RFC 6265 has them: read from whatever clients send, written with every attribute."""

from __future__ import annotations

import re
import time
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cookies import Cookie, Cookies, IdCookie, new_id

ID = "AAECAwQFBgcICQoLDA0ODw"
OTHER = "_-7d3Nvd3Nvd3Nvd3Nvd3A"
STAY = IdCookie("gw-stay", 3600)
NAMES = st.text(alphabet="abc-._", min_size=1, max_size=4)
VALUES = st.text(alphabet="xyz019-_", max_size=5)


class TestReading:
    @pytest.mark.parametrize(
        ("fields", "values"),
        [
            pytest.param(["a=1"], ["1"], id="alone"),
            pytest.param(["b=2; a=1; c=3"], ["1"], id="among-others"),
            pytest.param(["a=1; a=2"], ["1", "2"], id="twice-in-order"),
            pytest.param(["b=2", "a=1"], ["1"], id="fields-of-http2"),
            pytest.param(["b=2;a=1"], ["1"], id="no-space"),
            pytest.param(["b=2; \t a = 1 "], ["1"], id="space-around"),
            pytest.param(['a="1"'], ["1"], id="quoted"),
            pytest.param(["a="], [""], id="empty"),
            pytest.param(["a=x=y"], ["x=y"], id="equals-sign-in-the-value"),
            pytest.param(["A=1"], [], id="case-counts"),
            pytest.param(["aa=1; b-a=2; b.a=3; ab"], [], id="a-name-that-ends-alike"),
            pytest.param(["a; b=2"], [""], id="no-equals-sign"),
            pytest.param([], [], id="no-field"),
            pytest.param([";;=;= ;b;=a"], [], id="garbage"),
        ],
    )
    def test_of_a_name(self, fields, values):
        assert Cookie("a").values(fields) == values

    def test_a_name_is_no_pattern(self):
        assert Cookie("a.b").values(["axb=1; a.b=2"]) == ["2"]

    @given(st.lists(st.tuples(NAMES, VALUES)), NAMES)
    def test_what_a_browser_sends_is_read_back(self, pairs, name):
        field = "; ".join(f"{key}={value}" for key, value in pairs)
        assert Cookie(name).values([field]) == [value for key, value in pairs if key == name]

    @pytest.mark.parametrize(
        "field",
        [";" * 32768, "; " * 16384, ";" + " " * 32767, "gw-stay" * 4681, "; gw-stay " * 2978],
        ids=["separators", "separators-and-spaces", "spaces", "names", "names-without-values"],
    )
    def test_hostile_ones_take_time_in_proportion_to_their_length(self, field):
        began = time.process_time()
        assert STAY.shown([field]) is None
        assert time.process_time() - began < 0.1


class TestIds:
    def test_are_128_random_bits(self):
        ids = {new_id() for _ in range(1000)}
        assert len(ids) == 1000
        assert all(re.fullmatch("[A-Za-z0-9_-]{22}", each) for each in ids)

    @pytest.mark.parametrize(
        "value",
        ["", "x", ID + "A", ID[:-1], ID[:-1] + "é", ID[:-1] + "=", ID + "\n", "10.0.0.1:50051"],
        ids=["empty", "short", "long", "by-one", "not-ascii", "padded", "line-end", "address"],
    )
    def test_what_is_no_id_is_not_seen(self, value):
        assert STAY.shown([f"gw-stay={value}"]) is None

    @pytest.mark.parametrize(
        "field",
        [
            f"gw-stay={ID}",
            f"a=b;gw-stay={ID};c=d",
            f'gw-stay = "{ID}" ; a=b',
            f"x-gw-stay; gw-stay={ID}",
        ],
        ids=["alone", "among-others", "quoted-with-space", "after-one-that-ends-alike"],
    )
    def test_are_found(self, field):
        assert STAY.shown([field]) == ID

    def test_the_first_that_is_one_counts(self):
        assert STAY.shown([f"gw-stay=x; gw-stay={ID}", f"gw-stay={OTHER}"]) == ID


class TestGiving:
    def test_a_browser_keeps_it_for_the_site_and_no_script_reads_it(self):
        assert STAY.line(ID, secure=False) == (
            f"gw-stay={ID}; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax"
        )

    def test_who_came_by_https_sends_it_by_nothing_else(self):
        assert STAY.line(ID, secure=True).endswith("; SameSite=Lax; Secure")

    def test_is_what_is_read_back(self):
        kept = SimpleCookie(STAY.line(ID, secure=True))
        assert kept["gw-stay"]["max-age"] == "3600"
        assert STAY.shown([f"gw-stay={kept['gw-stay'].value}"]) == ID

    def test_one_request_gives_one_id(self):
        cookies = Cookies()
        first = cookies.give(STAY, secure=False)
        assert cookies.give(IdCookie("gw-stay", 60), secure=False) == first
        assert cookies.lines == [STAY.line(first, secure=False)]

    def test_each_cookie_has_its_own(self):
        ids = iter([ID, OTHER])
        cookies = Cookies(lambda: next(ids))
        assert cookies.give(STAY, secure=False) == ID
        assert cookies.give(IdCookie("b", 60), secure=False) == OTHER
        assert len(cookies.lines) == 2

    def test_a_repr_tells_no_id(self):
        cookies = Cookies()
        assert cookies.give(STAY, secure=False) not in f"{cookies!r} {STAY!r}"
