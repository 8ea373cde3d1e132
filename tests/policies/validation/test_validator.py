"""What becomes of requests that keep the rules of their type, break them, or can't be asked."""

from __future__ import annotations

import logging

import protovalidate
import pytest
from google.protobuf import any_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from protobuf import wkt

from gateway.call import Code, RpcError
from gateway.policies.validation import limits
from gateway.policies.validation.rules import Rules
from gateway.policies.validation.validator import Checker, RuleError
from tests.examples import examples
from tests.policies.validation.protos import REGISTRY, descriptor, new

RULES = Rules(REGISTRY.pool)
CHECKER = Checker()


def requests(name):
    """What checks requests of a type."""
    message = descriptor(name)
    return CHECKER.requests(message, RULES.reached(message).most)


def refused(name, data):
    """The error of a request."""
    with pytest.raises(RpcError) as refusal:
        requests(name).check(data)
    return refusal.value


def violations(failure):
    """The fields at fault, with what is told of each."""
    for detail in failure.status.details:
        if detail.type_url.endswith("BadRequest"):
            bad = error_details_pb2.BadRequest.FromString(detail.value)
            return {each.field: each.description for each in bad.field_violations}
    return {}


def right():
    """A message that keeps every rule."""
    message = new(
        "Standard", a_float=2, a_double=3, an_int32=5, an_int64=2, a_uint32=7, a_uint64=6,
        a_sint32=-1, a_sint64=-1, a_fixed32=3, a_fixed64=3, a_sfixed32=3, a_sfixed64=3, a_bool=True,
        a_string="abc", a_pattern="abc", an_email="ada@example.com", some_bytes=b"1",
        a_uuid="3f2504e0-4f89-11d3-9a0c-0305e82c3301", a_kind=1, some_names=["a", "b"],
        by_name={"ab": 1}, needed="x", one_number=1, never="x",
    )  # fmt: skip
    message.by_number[5].unit_price = 1
    message.by_bool[True].unit_price = 1
    message.an_any.type_url = "type.googleapis.com/a.B"
    message.a_duration.seconds = 6
    message.a_time.seconds = 1
    message.a_mask.paths.append("a")
    message.wrapped.value = 4
    message.some_items.add(unit_price=3)
    message.single_item.unit_price = 3
    return message


WRONG = {
    "aFloat": {"a_float": 1},
    "aDouble": {"a_double": 5},
    "anInt32": {"an_int32": 10},
    "anInt64": {"an_int64": 4},
    "aUint32": {"a_uint32": 6},
    "aUint64": {"a_uint64": 5},
    "aSint32": {"a_sint32": 0},
    "aSint64": {"a_sint64": 0},
    "aFixed32": {"a_fixed32": 2},
    "aFixed64": {"a_fixed64": 2},
    "aSfixed32": {"a_sfixed32": 2},
    "aSfixed64": {"a_sfixed64": 2},
    "aBool": {"a_bool": False},
    "aString": {"a_string": "a"},
    "aPattern": {"a_pattern": "A"},
    "anEmail": {"an_email": "ada"},
    "aUuid": {"a_uuid": "1"},
    "someBytes": {"some_bytes": b"12345"},
    "aKind": {"a_kind": 0},
    "someNames": {"some_names": ["a", "a"]},
    "someNames[1]": {"some_names": ["a", "long"]},
    "byName": {"by_name": {"aa": 1, "bb": 1, "cc": 1}},
    "byName.a": {"by_name": {"a": 1}},
    'byName["a b"]': {"by_name": {"a b": 0}},
    'byNumber["-7"].priceOfUnit': {"by_number": {-7: {"unit_price": 0}}},
    "byBool.false.priceOfUnit": {"by_bool": {False: {"unit_price": 0}}},
    "anAny": {"an_any": {"type_url": "type.googleapis.com/a.C"}},
    "aDuration": {"a_duration": {"seconds": 5}},
    "aTime": {"a_time": {"seconds": 99999999999}},
    "aMask": {"a_mask": {"paths": ["b"]}},
    "wrapped": {"wrapped": {"value": 3}},
    "needed": {"needed": None},
    "choice": {"one_number": None},
    "someItems[2].priceOfUnit": {
        "some_items": [{"unit_price": 1}, {"unit_price": 1}, {"unit_price": 0}]
    },
    "singleItem.below[0].priceOfUnit": {"single_item": {"below": [{"unit_price": 0}]}},
}


def changed(message, change):
    """A message with other values of some fields; None clears one."""
    for name, value in change.items():
        message.ClearField(name)
        if name in {"by_number", "by_bool"}:
            for key, inner in value.items():
                getattr(message, name)[key].unit_price = inner["unit_price"]
        elif value is not None:
            message.MergeFrom(type(message)(**{name: value}))
    return message


def test_what_keeps_every_rule_passes():
    requests("Standard").check(right().SerializeToString())


@pytest.mark.parametrize(("path", "change"), WRONG.items(), ids=WRONG)
def test_what_breaks_a_rule_is_refused_with_its_path(path, change):
    failure = refused("Standard", changed(right(), change).SerializePartialToString())
    assert (failure.reason, failure.status.code) == ("VALIDATION_FAILED", Code.INVALID_ARGUMENT)
    (told,) = violations(failure).items()
    assert told[0] == path
    assert told[1].endswith(" (its key)") == (path == "byName.a")
    assert failure.status.message == f"The request breaks its type's rules: {path}: {told[1]}."


def test_what_rules_say_is_told_as_it_is():
    failure = refused("Inner", new("Inner", unit_price=-1).SerializeToString())
    assert violations(failure) == {"priceOfUnit": "must be greater than 0"}


def test_several_faults_are_told_together():
    data = changed(right(), WRONG["aFloat"] | WRONG["needed"]).SerializeToString()
    failure = refused("Standard", data)
    assert violations(failure).keys() == {"aFloat", "needed"}
    assert failure.status.message.endswith(" (and 1 more).")


def test_one_of_several_fields_can_be_required():
    failure = refused("Either", b"")
    assert list(violations(failure)) == [""]
    requests("Either").check(new("Either", left="a").SerializeToString())
    assert refused("Either", new("Either", left="a", right="b").SerializeToString())


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"first": 2, "last": 1}, {"": "first must not be after last"}),
        ({"name": "ada"}, {"name": "ada is no name"}),
        ({"low": "A"}, {"low": "must be lower case"}),
        ({"divisor": 3}, {"divisor": "must divide ten"}),
        ({"bare": "no"}, {"bare": "\"this != 'no'\" returned false"}),
        ({"first": 1, "last": 2, "name": "nora", "low": "a", "divisor": 5, "bare": "yes"}, None),
    ],
    ids=["message", "text-that-it-makes", "predefined", "field", "without-a-message", "right"],
)
def test_rules_in_cel(values, told):
    data = new("Written", **values).SerializeToString()
    if told is None:
        requests("Written").check(data)
    else:
        assert violations(refused("Written", data)) == told


def test_what_a_rule_says_is_bounded_and_one_line():
    name = "x\n\x00" * 10_000
    (text,) = violations(refused("Written", new("Written", name=name).SerializeToString())).values()
    assert len(text) == limits.DESCRIPTION + 1
    assert "\n" not in text


def test_a_rule_that_fails_refuses_the_request_and_quotes_nothing(caplog):
    check = requests("Written").check
    data = new("Written", divisor=0).SerializeToString()
    for _ in range(3):
        with pytest.raises(RpcError) as failure, caplog.at_level(logging.ERROR):
            check(data)
        assert (failure.value.reason, failure.value.status.code) == ("INTERNAL", Code.INTERNAL)
        assert failure.value.status.message == "A rule for the request can't be evaluated."
    (line,) = caplog.messages  # once in a while
    assert line == "a request of type rules.v1.Written can't be checked: error evaluating divides"


def test_bytes_that_are_no_message_are_refused():
    failure = refused("Standard", b"\xff")
    assert (failure.reason, failure.status.code) == ("INVALID_BODY", Code.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [(b"3f2504e0-", b"\xff"), (b"a.B", b"\xc3.B"), (b"\x0a\x02ab\x10", b"\x0a\x02a\xff\x10")],
    ids=["field", "message", "key of a map"],
)
def test_a_text_of_proto2_that_is_not_utf_8_is_refused(text, wrong):
    data = right().SerializeToString()
    assert text in data
    wrong = wrong.ljust(len(text), b"\xff")
    failure = refused("Standard", data.replace(text, wrong))
    assert (failure.reason, failure.status.code) == ("INVALID_BODY", Code.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    ("count", "told"), [(limits.ALL_TOLD, limits.TOLD), (limits.ALL_TOLD + 1, 1)]
)
def test_of_a_large_request_only_the_first_fault_is_looked_for(count, told):
    failure = refused("Many", new("Many", numbers=[0] * count).SerializeToString())
    assert len(violations(failure)) == told
    assert failure.status.message.endswith(f"(and {count - 1} more)." if told > 1 else "than 0.")


def test_of_a_long_request_with_few_elements_all_faults_are_told():
    message = new("Many")
    for price in (0, 1, 0):
        message.items.add(unit_price=price, below=[new("Inner", unit_price=5)] * 3)
    message.items[0].below.extend([new("Inner", unit_price=2**30)] * 400)
    assert len(message.SerializeToString()) > limits.ALL_TOLD
    failure = refused("Many", message.SerializeToString())
    assert violations(failure).keys() == {"items[0].priceOfUnit", "items[2].priceOfUnit"}


def any_within(most):
    """A request of Holding with as many levels of Anys in each other as its bytes allow."""
    held = any_pb2.Any(type_url="/google.protobuf.Int32Value")
    while held.ByteSize() < most - 100:
        held = any_pb2.Any(type_url="/google.protobuf.Any", value=held.SerializeToString())
    message = new("Holding")
    message.any.MergeFromString(held.SerializeToString())
    return message.SerializeToString()


def messages(count):
    """A request with as many messages in it."""
    return b"\x12\x00" * count


def items(count):
    """A request of Listing with different prices."""
    return new("Listing", items=[new("Inner", unit_price=i + 1) for i in range(count)])


TOO_MANY = {
    "messages": ("Many", messages(50_000), messages(50_001)),
    "elements-in-cel": ("Written", b"\x3a\x00" * 10_000, b"\x3a\x00" * 10_001),
    "lists-that-cel-builds": (
        "Listing",
        items(2_000).SerializeToString(),
        items(2_001).SerializeToString(),
    ),
    "bytes-with-cel": (
        "Written",
        b"\x32" + b"\xfc\xff\x0f" + b"a" * (2**18 - 4),
        b"a" * (2**18 + 1),
    ),
    "bytes-with-an-any": ("Holding", any_within(2**16), b"a" * (2**16 + 1)),
    "bytes-with-maps": ("Mapped", b"\x12\x03abc" + b"\x1a\x00" * 1000, b"a" * (2**20 + 1)),
}


@pytest.mark.parametrize(("name", "fitting", "more"), TOO_MANY.values(), ids=TOO_MANY)
def test_what_rules_can_not_be_asked_about_is_refused(name, fitting, more):
    requests(name).check(fitting)
    failure = refused(name, more)
    assert (failure.reason, failure.http_status) == ("MESSAGE_TOO_LARGE", 413)


def test_scalars_are_as_many_as_the_listener_takes():
    requests("Many").check(new("Many", numbers=[1] * 1_000_000).SerializeToString())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Typed", "expected rule"),
        ("Pattern", "missing ): (("),
        ("Called", "unknown.call"),
        ("Lacking", "no_such_field"),
    ],
)
def test_a_rule_that_does_not_compile_is_found_at_once(name, said):
    with pytest.raises(RuleError, match=said.replace("(", r"\(").replace(")", r"\)")):
        Checker().compile(descriptor(f"wrong.v1.{name}"))


def test_right_rules_compile():
    for name in ("Standard", "Written", "Either", "Listing", "Holding", "Mapped", "Many"):
        Checker().compile(descriptor(name))


# The library's own messages and its own look at them, against what is told to clients.

_SET = FileDescriptorSet()
for _data in REGISTRY.file_bytes.values():
    if b"wrong/v1" not in _data:
        _SET.file.add().MergeFromString(_data)
NATIVE = wkt.FileDescriptorSet.from_binary(_SET.SerializeToString()).to_registry()

numbers = st.integers(-3, 12)
texts = st.text("abA@.", max_size=6)
standard = st.fixed_dictionaries(
    {},
    optional={
        "a_float": st.floats(-2, 3, width=32),
        "a_double": st.floats(4, 11),
        "an_int32": numbers,
        "an_int64": numbers,
        "a_uint32": st.integers(5, 8),
        "a_sint32": numbers,
        "a_sfixed64": numbers,
        "a_bool": st.booleans(),
        "a_string": texts,
        "a_pattern": texts,
        "an_email": texts,
        "some_bytes": st.binary(max_size=6),
        "a_kind": st.integers(0, 2),
        "some_names": st.lists(texts, max_size=5),
        "by_name": st.dictionaries(texts, numbers, max_size=4),
        "a_duration": st.fixed_dictionaries({"seconds": numbers}),
        "wrapped": st.fixed_dictionaries({"value": numbers}),
        "needed": texts,
        "one_text": texts,
        "some_items": st.lists(st.fixed_dictionaries({"unit_price": numbers}), max_size=3),
    },
)


@given(standard)
@settings(max_examples=examples(2), deadline=None)
def test_it_says_what_the_library_says_of_its_own_messages(values):
    data = new("Standard", **values).SerializeToString()
    native = NATIVE.message("rules.v1.Standard").type.from_binary(data)
    try:
        protovalidate.validate(native)
    except protovalidate.ValidationError as wrong:
        expected = [each.proto for each in wrong.violations]
    else:
        expected = []
    if not expected:
        requests("Standard").check(data)
        return
    failure = refused("Standard", data)
    (bad,) = (
        error_details_pb2.BadRequest.FromString(each.value)
        for each in failure.status.details
        if each.type_url.endswith("BadRequest")
    )
    told = sorted(each.description.removesuffix(" (its key)") for each in bad.field_violations)
    assert told == sorted(each.message for each in expected)[: len(told)]
    assert len(told) == min(len(expected), limits.TOLD)
    names = sorted(each.field.partition("[")[0].partition(".")[0] for each in bad.field_violations)
    fields = {each.name: each.json_name for each in descriptor("Standard").fields}
    assert names == sorted(
        fields.get(each.field.elements[0].field_name, each.field.elements[0].field_name)
        for each in expected
    )
