"""Whose share a call takes."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, Principal
from gateway.http import Headers, Request
from gateway.policies.caller import bounded
from gateway.policies.limits.keys import digest_of, key_of
from gateway.policies.request_field import FieldError

FIELD = descriptor_pb2.FieldDescriptorProto
ADA = Principal("ada", "customers")


def request_type():
    """A request with fields of all sorts."""
    file = descriptor_pb2.FileDescriptorProto(name="asked.proto", package="a", syntax="proto3")
    file.enum_type.add(name="Colour").value.add(name="RED", number=0)
    file.enum_type[0].value.add(name="BLUE", number=1)
    whose = file.message_type.add(name="Whose")
    whose.field.add(name="user_id", number=1, type=FIELD.TYPE_STRING, label=1)
    asked = file.message_type.add(name="Asked")
    for number, (name, kind) in enumerate(
        {
            "id": FIELD.TYPE_STRING,
            "amount": FIELD.TYPE_INT64,
            "blob": FIELD.TYPE_BYTES,
            "urgent": FIELD.TYPE_BOOL,
        }.items(),
        1,
    ):
        asked.field.add(name=name, number=number, type=kind, label=1)
    asked.field.add(name="colour", number=5, type=FIELD.TYPE_ENUM, label=1, type_name=".a.Colour")
    asked.field.add(name="whose", number=6, type=FIELD.TYPE_MESSAGE, label=1, type_name=".a.Whose")
    asked.field.add(name="tags", number=7, type=FIELD.TYPE_STRING, label=3)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("a.Asked")


ASKED = request_type()


def call(*fields, principal=None, peer="203.0.113.7", method="a.B/C", **asked):
    request = GetMessageClass(ASKED)(**asked).SerializeToString()
    head = Request("GET", "/", None, Headers(fields), peer=peer)
    return Call(method, request, principal=principal, peer=peer, head=head)


def key(*parts, api_keys=("keys",)):
    return key_of(parts, api_keys, ASKED)


def test_a_caller_is_told_apart_by_who_it_is():
    of = key("principal")
    assert of(call(principal=ADA)) == of(call(principal=ADA, peer="198.51.100.1"))
    assert of(call(principal=ADA)) != of(call(principal=Principal("bob", "customers")))


def test_a_subject_is_its_providers():
    of = key("principal")
    assert of(call(principal=ADA)) != of(call(principal=Principal("ada", "partners")))


@pytest.mark.parametrize("principal", [None, Principal("", "judge")], ids=["unknown", "nameless"])
def test_who_has_no_name_is_counted_by_address(principal):
    of = key("principal")
    assert of(call(principal=principal)) == key("address")(call())
    assert of(call(principal=principal, peer="198.51.100.1")) != key("address")(call())


def test_no_caller_is_named_like_an_address():
    named = Principal("203.0.113.7", "a")
    assert key("principal")(call(principal=named)) != key("principal")(call())


def test_an_address_of_ipv6_is_its_site():
    of = key("address")
    assert of(call(peer="2001:db8::1")) == of(call(peer="2001:db8:0:0:ffff::2"))
    assert of(call(peer="2001:db8::1")) != of(call(peer="2001:db8:0:1::1"))


def keyed(key_id, provider="keys", owner="acme"):
    return Principal(owner, provider, claims={"key_id": key_id})


def test_an_api_key_is_counted_and_not_its_owner():
    of = key("api_key")
    assert of(call(principal=keyed("k1"))) != of(call(principal=keyed("k2")))
    assert of(call(principal=keyed("k1"))) == of(call(principal=keyed("k1", owner="other")))


def test_a_token_that_claims_a_key_shows_none():
    of = key("api_key")
    token = keyed("k1", provider="tokens")
    assert of(call(principal=token)) == key("address")(call())


def test_callers_of_one_plan_share():
    of = key("plan")
    gold = Principal("ada", "customers", plan="gold")
    assert of(call(principal=gold)) == of(call(principal=Principal("bob", "x", plan="gold")))
    assert of(call(principal=gold)) != of(call(principal=ADA)) == of(call())


def test_methods_are_told_apart():
    assert key("method")(call()) != key("method")(call(method="a.B/D"))


def test_all_is_one_share():
    assert key("all")(call(principal=ADA)) == key("all")(call(method="a.B/D", peer=""))


def test_a_header_is_told_by_its_values_and_never_as_it_is():
    of = key("header:X-Tenant")
    assert of(call(("x-tenant", "acme"))) != of(call(("x-tenant", "other")))
    assert "acme" not in of(call(("x-tenant", "acme")))


def test_two_values_of_a_header_are_not_its_first():
    of = key("header:x-tenant")
    both = call(("x-tenant", "acme"), ("x-tenant", "other"))
    assert of(both) != of(call(("x-tenant", "acme")))


def test_calls_without_the_header_share():
    of = key("header:x-tenant")
    without = Call("a.B/C")
    assert of(call()) == of(without)
    assert of(call(("x-tenant", ""))) != of(without)


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("id", {"id": "p1"}, {"id": "p2"}),
        ("amount", {"amount": 1}, {"amount": 2}),
        ("blob", {"blob": b"\0"}, {"blob": b"\1"}),
        ("urgent", {"urgent": True}, {"urgent": False}),
        ("colour", {"colour": 1}, {"colour": 0}),
        ("whose.user_id", {"whose": {"user_id": "u1"}}, {"whose": {"user_id": "u2"}}),
    ],
)
def test_a_field_of_the_request(path, one, other):
    of = key(f"field:{path}")
    assert of(call(**one)) == of(call(**one, tags=["else"]))
    assert of(call(**one)) != of(call(**other))


def test_a_field_that_is_not_set_is_its_default():
    assert key("field:amount")(call()) == key("field:amount")(call(amount=0))


def test_requests_that_are_no_message_share():
    of = key("field:id")
    assert of(Call("a.B/C", b"\xff")) == of(Call("a.B/C", b"\xfe"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nothing", "a.Asked has no field nothing"),
        ("whose", "whose is a message; expected a number, text"),
        ("whose.nothing", "a.Whose has no field nothing"),
        ("tags", "tags is repeated"),
        ("id.length", "a value has no field length"),
    ],
)
def test_a_path_that_leads_to_no_value(path, said):
    with pytest.raises(FieldError, match=said):
        key(f"field:{path}")


def test_several_keys_together():
    of = key("principal", "method")
    one = of(call(principal=ADA))
    assert one == of(call(principal=ADA, peer="198.51.100.1"))
    assert one != of(call(principal=ADA, method="a.B/D"))
    assert one != of(call(method="a.B/C"))


PARTS = st.lists(st.text(max_size=200), min_size=1, max_size=4)


@given(PARTS, PARTS)
def test_no_values_read_like_others(some, others):
    assert ("".join(map(bounded, some)) == "".join(map(bounded, others))) == (some == others)


@given(st.text(max_size=5000), st.text(max_size=5000), st.text(max_size=5000))
def test_keys_are_short_and_plain(provider, subject, header):
    principal = Principal(subject, provider, plan=subject)
    of = key("principal", "api_key", "plan", "address", "method", "header:x-tenant", "field:id")
    made = of(call(("x-tenant", header), principal=principal, peer=provider))
    assert len(made) < 600
    assert made.isascii()


def test_another_definition_has_its_own_shares():
    assert digest_of(("token_bucket", 10), ("principal",)) == digest_of(
        ("token_bucket", 10), ("principal",)
    )
    assert digest_of(("token_bucket", 10), ("principal",)) != digest_of(
        ("token_bucket", 11), ("principal",)
    )
