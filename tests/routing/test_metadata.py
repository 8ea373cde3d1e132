"""Headers to metadata and back (config.md, `headers`; grpc/grpc, doc/PROTOCOL-HTTP2.md)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Metadata, RpcError
from gateway.http import Headers
from gateway.routing.metadata import MAX_METADATA, HeaderRules, never_passes

RESERVED = [
    "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
    "proxy-authorization", "host", "content-type", "content-length", "content-encoding",
    "user-agent", "grpc-timeout", "grpc-status", "grpc-encoding", "grpc-anything", ":path",
    ":authority", "", "a b", "a:b", "Ä", "a\r\nb", "a/b",
    "sec-websocket-protocol",
]  # fmt: skip


def sent(rules, *headers):
    """The metadata that headers make, as a list."""
    return list(rules.request(Headers(headers)))


class TestRequest:
    def test_an_allowed_header_passes_under_its_name(self):
        rules = HeaderRules(["Authorization", "x-request-id"])
        headers = [("authorization", "Bearer x"), ("cookie", "a=b"), ("x-request-id", "7")]
        assert sent(rules, *headers) == [("authorization", "Bearer x"), ("x-request-id", "7")]

    def test_a_header_given_twice_passes_twice_in_order(self):
        rules = HeaderRules(["x-a"])
        assert sent(rules, ("x-a", "1"), ("x-a", "2")) == [("x-a", "1"), ("x-a", "2")]

    def test_the_prefix_is_taken_off(self):
        rules = HeaderRules([], "Grpc-Metadata-")
        assert sent(rules, ("grpc-metadata-foo", "1"), ("foo", "2")) == [("foo", "1")]

    def test_nothing_passes_by_an_empty_prefix(self):
        assert sent(HeaderRules([]), ("foo", "1")) == []

    @pytest.mark.parametrize("name", RESERVED)
    def test_a_reserved_name_never_passes(self, name):
        rules = HeaderRules([name], "p-")
        assert sent(rules, (name, "1"), (f"p-{name}", "1")) == []

    def test_nor_does_a_name_that_the_gateway_sets(self):
        rules = HeaderRules(["x-subject"], "grpc-metadata-", reserved=["X-Subject"])
        headers = [("x-subject", "root"), ("grpc-metadata-x-subject", "root")]
        assert sent(rules, *headers) == []

    @pytest.mark.parametrize(
        "name",
        [
            "x-subject",
            "x_subject",
            "x.subject",
            "x_claim_tenant",
            "x-claim-tenant",
            "x-claim-role",
            "x.claim-role",
            "x-claim-",
        ],
    )
    @pytest.mark.parametrize("prefix", ["", "grpc-metadata-", "x-", "x_"])
    def test_in_no_spelling_and_behind_no_prefix(self, name, prefix):
        rules = HeaderRules([name], prefix, reserved=["X-Subject", "x-claim-*"])
        keys = [key for key, _ in sent(rules, (name, "root"), (prefix + name, "root"))]
        alike = [key.replace("_", "-").replace(".", "-") for key in keys]
        assert not [key for key in alike if key == "x-subject" or key.startswith("x-claim-")]
        assert rules.reserves(prefix + name)

    def test_what_only_looks_like_it_passes(self):
        rules = HeaderRules(["x-subjects", "x-claims"], reserved=["x-subject", "x-claim-*"])
        headers = [("x-subjects", "1"), ("x-claims", "2")]
        assert sent(rules, *headers) == headers

    @pytest.mark.parametrize("nominated", ["x-a", "close, X-A", "p-x-a"])
    def test_nor_what_connection_names(self, nominated):
        rules = HeaderRules(["x-a"], "p-")
        headers = [("p-x-a", "1"), ("connection", nominated)]
        assert sent(rules, *headers) == []

    def test_whether_a_name_passes_is_known(self):
        rules = HeaderRules(["Authorization", "host"], "x-pass-")
        assert rules.passes("authorization")
        assert not rules.passes("host")
        assert rules.passes("x-pass-authorization")
        assert not rules.passes("x-other")

    def test_names_without_effect_are_known(self):
        rules = HeaderRules(["host", "x-a", "x-b"], "", ["*", "te", "x"], reserved=["x-b"])
        assert rules.ineffective == ("host", "te", "x-b")

    @pytest.mark.parametrize("prefix", ["a b", "a:", "é-", "a\n"])
    def test_a_prefix_is_the_beginning_of_a_name(self, prefix):
        with pytest.raises(ValueError):
            HeaderRules([], prefix)
        with pytest.raises(ValueError):
            HeaderRules([], "", [], prefix)


class TestValues:
    rules = HeaderRules(["x-a", "x-bin"])

    def test_space_around_a_value_is_left_out(self):
        assert sent(self.rules, ("x-a", " \t a b\t ")) == [("x-a", "a b")]

    @pytest.mark.parametrize("value", ["", " ", "a\tb", "é", "a\0", "a\r\nb: c", "\x7f", "€"])
    def test_a_value_that_metadata_cannot_hold_is_left_out(self, value):
        assert sent(self.rules, ("x-a", value), ("x-a", "1")) == [("x-a", "1")]

    @pytest.mark.parametrize(
        ("value", "decoded"),
        [
            ("AQID", [b"\1\2\3"]),
            ("AQ==", [b"\1"]),
            ("AQ", [b"\1"]),
            (" AQ ", [b"\1"]),
            ("", [b""]),
            ("AQ,Ag==, Aw", [b"\1", b"\2", b"\3"]),
            ("+/+/", [b"\xfb\xff\xbf"]),
        ],
    )
    def test_a_bin_value_is_base64(self, value, decoded):
        assert sent(self.rules, ("x-bin", value)) == [("x-bin", item) for item in decoded]

    @pytest.mark.parametrize(
        "value", ["A", "A===", "AQ=", "=", "A?==", "A Q", "-_-_", "é", "AQ==AQ"]
    )
    def test_one_that_is_not_is_refused(self, value):
        with pytest.raises(RpcError) as caught:
            sent(self.rules, ("x-bin", value))
        assert caught.value.reason == "INVALID_METADATA"
        assert "x-bin" in caught.value.status.message

    def test_size_is_bounded(self):
        sent(self.rules, ("x-a", "a" * (MAX_METADATA - 35)))
        with pytest.raises(RpcError) as caught:
            sent(self.rules, ("x-a", "a" * (MAX_METADATA - 34)))
        assert caught.value.reason == "HEADERS_TOO_LARGE"

    def test_operators_may_allow_more_or_less(self):
        rules = HeaderRules(["x-a", "x-b"], most=1100)
        sent(rules, ("x-a", "a" * 515), ("x-b", "b" * 515))
        with pytest.raises(RpcError) as caught:
            sent(rules, ("x-a", "a" * 515), ("x-b", "b" * 516))
        assert caught.value.reason == "HEADERS_TOO_LARGE"
        assert caught.value.status.message.endswith("larger than 1100 bytes.")

    def test_so_is_the_number_of_values_in_one_header(self):
        with pytest.raises(RpcError):
            sent(self.rules, ("x-bin", "," * 1000))


class TestResponse:
    metadata = Metadata([("x-a", "1"), ("x-b", "2"), ("x-bin", b"\1"), ("grpc-status", "0")])

    def test_nothing_passes_by_default(self):
        assert HeaderRules().response(self.metadata) == []

    def test_allowed_metadata_passes_under_its_name(self):
        assert HeaderRules([], "", ["X-A"]).response(self.metadata) == [("x-a", "1")]

    def test_the_rest_gets_the_prefix(self):
        assert HeaderRules([], "", ["x-a"], "grpc-metadata-").response(self.metadata) == [
            ("x-a", "1"),
            ("grpc-metadata-x-b", "2"),
            ("grpc-metadata-x-bin", "AQ=="),
        ]

    def test_a_star_passes_all(self):
        assert HeaderRules([], "", ["*"], "p-").response(self.metadata) == [
            ("x-a", "1"),
            ("x-b", "2"),
            ("x-bin", "AQ=="),
        ]

    @pytest.mark.parametrize("name", RESERVED)
    def test_a_reserved_name_never_passes(self, name):
        metadata = Metadata([(name, "1")])
        assert HeaderRules([], "", ["*", name], "p-").response(metadata) == []

    @pytest.mark.parametrize("value", ["", "a\r\nset-cookie: b", "a\0", "é", "\ud800"])
    def test_a_value_that_a_header_cannot_hold_is_left_out(self, value):
        assert HeaderRules([], "", ["*"]).response(Metadata([("x-a", value)])) == []


anything = HeaderRules(["a", "a-bin", "host", "te"], "p-", ["*"], "")
names = st.sampled_from(["a", "a-bin", "connection", "host", "p-a", "p-a-bin", "p-"])
names |= st.text().map(str.lower) | st.text().map(lambda text: "p-" + text.lower())
latin = st.text(st.characters(max_codepoint=255))


@given(st.lists(st.tuples(names, latin | st.text())))
def test_any_header_makes_metadata_or_our_own_error(headers):
    try:
        metadata = anything.request(Headers(headers))
    except RpcError as error:
        assert error.reason in ("INVALID_METADATA", "HEADERS_TOO_LARGE")
        return
    for key, value in metadata:
        assert not never_passes(key)
        assert isinstance(value, bytes) == key.endswith("-bin")
        assert isinstance(value, bytes) or (value.isascii() and value.isprintable())


@given(st.lists(st.tuples(names, st.text() | st.binary())))
def test_any_metadata_makes_headers_that_can_be_sent(items):
    for name, value in anything.response(Metadata(items)):
        assert not never_passes(name)
        assert value.isascii()
        assert value.isprintable()


@given(st.lists(st.binary(), min_size=1, max_size=5), st.booleans())
def test_bin_values_come_through_both_ways(values, padded):
    encoded = [base64.b64encode(value).decode() for value in values]
    given_text = ",".join(text if padded else text.rstrip("=") for text in encoded)
    metadata = anything.request(Headers([("a-bin", given_text)]))
    assert [value for _, value in metadata] == values
    assert [value for _, value in anything.response(metadata)] == encoded
