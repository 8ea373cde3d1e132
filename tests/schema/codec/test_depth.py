"""No nesting, in JSON or on the wire, may crash the process or recurse as a client likes."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.schema.codec import Codec, CodecError
from gateway.schema.codec.text import depth, is_beyond

A = "type.googleapis.com/"
LEVELS = 100_000
TOO_MUCH = "nested too deeply|more than 100000 objects and arrays"

# What opens and closes one level, around what, below which member.
SHAPES = {
    "message": ('{"child":', "{}", "}"),
    "list of messages": ('{"children":[', "{}", "]}"),
    "map of messages": ('{"childrenByText":{"a":', "{}", "}}"),
    "oneof": ('{"chosenChild":', "{}", "}"),
    "any": (f'{{"@type":"{A}codec.v1.Everything","any":', "{}", "}"),
    "any in any": (f'{{"@type":"{A}google.protobuf.Any","value":', "{}", "}"),
    "arrays": ("[", "", "]"),
    "objects": ('{"a":', "1", "}"),
    "struct": ('{"a":[', "1", "]}"),
    "unknown": ('{"x":', "1", "}"),
}
BELOW = {"any": '{"any":%s}', "any in any": '{"any":%s}', "struct": '{"struct":%s}'}


def nested(shape: str, levels: int, closed: bool = True) -> bytes:
    start, inside, end = SHAPES[shape]
    body = start * levels + (inside + end * levels if closed else "")
    return BELOW.get(shape, "%s").replace("%s", body, 1).encode()


def run_in(stack: int | None, work) -> None:
    """Runs work in a thread with a stack of so many KiB, or in this one."""
    if stack is None:
        work()
        return
    failures = []

    def guarded() -> None:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001  # raised again in the test's thread
            failures.append(failure)

    before = threading.stack_size(stack * 1024)
    try:
        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    if failures:
        raise failures[0]


@pytest.fixture(params=[None, 256], ids=["main thread", "small stack"])
def stack(request) -> int | None:
    return request.param


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "cut"])
@pytest.mark.parametrize("shape", SHAPES)
def test_deep_json_is_refused_before_any_parser_sees_it(everything, stack, shape, closed):
    body = nested(shape, LEVELS, closed)

    def work() -> None:
        for read in (everything.from_json, everything.json_paths):
            with pytest.raises(CodecError, match=TOO_MUCH):
                read(body)
        for name in ("child", "children", "any", "value", "text", "children_by_text"):
            with pytest.raises(CodecError, match=TOO_MUCH):
                everything.field((name,)).from_json(everything.new(), body)

    run_in(stack, work)


@pytest.mark.parametrize("ignore", [True, False], ids=["unknown ignored", "unknown refused"])
@pytest.mark.parametrize("shape", SHAPES)
def test_json_at_the_limit_does_not_crash(with_options, stack, shape, ignore):
    codec = with_options(ignore_unknown_fields=ignore)
    start, _, _ = SHAPES[shape]
    per_level = start.count("{") + start.count("[")

    def work() -> None:
        for levels in range(1, 100 // per_level):
            body = nested(shape, levels)
            try:
                codec.json_paths(body)
                wire = codec.to_wire(codec.from_json(body))
            except CodecError:
                continue
            codec.transcode(wire)

    run_in(stack, work)


# Levels that are taken: of JSON by the limit, of messages by protobuf-py's 100.
@pytest.mark.parametrize(
    ("shape", "deepest"),
    [
        ("message", 99),
        ("list of messages", 49),
        ("map of messages", 49),
        ("oneof", 99),
    ],
)
def test_the_deepest_that_is_taken(everything, shape, deepest):
    taken = everything.from_json(nested(shape, deepest))
    assert json.loads(everything.to_json(taken)) == json.loads(nested(shape, deepest))
    with pytest.raises(CodecError, match=TOO_MUCH):
        everything.from_json(nested(shape, deepest + 1))


def test_the_deepest_any_that_is_taken(everything):
    everything.from_json(nested("any", 97))
    with pytest.raises(CodecError):
        everything.from_json(nested("any", 100))


@pytest.mark.parametrize(
    ("member", "start", "end", "deepest"),
    [("struct", '{"a":', "}", 50), ("value", "[", "]", 49), ("list", "[", "]", 50)],
)
def test_a_level_of_a_struct_counts_twice(everything, member, start, end, deepest):
    def body(levels: int) -> bytes:
        return f'{{"{member}":{start * levels}1.5{end * levels}}}'.encode()

    for levels in range(1, 99):
        try:
            message = everything.from_json(body(levels))
        except CodecError as refused:
            assert "nested too deeply" in str(refused)
            assert levels == deepest + 1
            return
        # Whatever is taken can be written, sent, and read again.
        assert json.loads(everything.transcode(everything.to_wire(message))) == json.loads(
            body(levels)
        )
    pytest.fail("there is no limit")


def test_the_limit_is_the_configured_one(registry):
    messages = Codec(registry, max_depth=3).message("codec.v1.Everything")
    messages.from_json(b'{"child": {"texts": ["{{{{[[[["]}}')
    with pytest.raises(CodecError, match="at most 3 levels"):
        messages.from_json(b'{"child": {"child": {"texts": []}}}')


@pytest.mark.parametrize("depth", [0, 101, -1])
def test_a_limit_beyond_what_is_safe_is_refused(registry, depth):
    with pytest.raises(ValueError, match="from 1 to 100"):
        Codec(registry, max_depth=depth)


def varint(number: int) -> bytes:
    data = b""
    while number > 127:
        data += bytes([number & 127 | 128])
        number >>= 7
    return data + bytes([number])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def wire(shape: str, levels: int) -> bytes:
    data = b""
    url = field(1, f"{A}codec.v1.Everything".encode())
    for _ in range(levels):
        if shape == "message":
            data = field(17, data)
        elif shape == "list of messages":
            data = field(37, data)
        elif shape == "map of messages":
            data = field(53, field(1, b"a") + field(2, data))
        elif shape == "struct":
            data = field(1, field(1, b"a") + field(2, field(5, data)))
        elif shape == "any":
            data = field(67, url + field(2, data))
        elif shape == "any in any":
            data = field(1, f"{A}google.protobuf.Any".encode()) + field(2, data)
        elif shape == "any of deep messages":
            for _ in range(60):
                data = field(17, data)
            data = field(67, url + field(2, data))
    if shape == "group":
        data = varint(5 << 3 | 3) * levels + varint(5 << 3 | 4) * levels
    if shape == "unknown group":
        data = varint(999 << 3 | 3) * levels + varint(999 << 3 | 4) * levels
    return {"struct": field(63, data), "any in any": field(67, data)}.get(shape, data)


WIRE = (
    "message",
    "list of messages",
    "map of messages",
    "struct",
    "any",
    "any in any",
    "any of deep messages",
    "group",
    "unknown group",
)


@pytest.mark.parametrize("shape", WIRE)
def test_deep_messages_of_backends_do_not_crash(everything, stack, shape):
    def work() -> None:
        for levels in (*range(1, 120, 3), 400 if shape == "any of deep messages" else 3000):
            data = wire(shape, levels)
            try:
                everything.transcode(data)
                everything.field(("any",)).to_json(everything.from_wire(data))
            except CodecError:
                assert levels > 30

    run_in(stack, work)


def test_anys_nested_beyond_reason_degrade(everything):
    written = json.loads(everything.transcode(wire("any", 3000)))
    levels = 0
    while "any" in written:
        written = written["any"]
        levels += 1
    assert levels == 21
    assert set(written) == {"@type", "value"}


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='{}[]"\\a', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet='{}[]"\\a', max_size=4), inner, max_size=3)
    ),
    max_leaves=20,
)


def depth_of(value: object) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 0


@given(documents, st.sampled_from([None, 1]))
def test_depth_is_counted_exactly(document, indent):
    body = json.dumps(document, indent=indent).encode()
    deep = depth_of(document)
    assert depth(body) == deep
    assert not is_beyond(body, deep, None)
    assert deep == 0 or is_beyond(body, deep - 1, None)


@given(st.integers(1, 40), st.integers(1, 99))
def test_many_beside_each_other_are_not_deep(count, levels):
    body = b"[" + b",".join([b'{"a":[' * levels + b"]}" * levels] * count) + b"]"
    assert not is_beyond(body, 1 + 2 * levels, None)
    assert is_beyond(body, 2 * levels, None)


@given(st.lists(st.sampled_from([b"[", b"{", b"]", b"}", b'"', b"\\", b'"a":', b",", b"1"])))
def test_depth_of_broken_text_bounds_the_parser(parts):
    text = body = b"".join(parts)
    deepest = 0
    # `json` recurses as deep as its stack of open brackets before the first fault.
    try:
        json.loads(body)
    except ValueError as fault:
        body = body[: getattr(fault, "pos", 0)]
    open_now = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            if escaped:
                escaped = False
            elif byte == ord("\\"):
                escaped = True
            elif byte == ord('"'):
                in_string = False
        elif byte == ord('"'):
            in_string = True
        elif byte in b"[{":
            open_now += 1
            deepest = max(deepest, open_now)
        elif byte in b"]}":
            open_now -= 1
    assert depth(text) >= deepest


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        pytest.param(b'{"children":[%s{}]}' % (b"{}," * 100_000), "objects", id="objects"),
        pytest.param(b'{"list":[%s[]]}' % (b"[]," * 100_000), "objects", id="arrays"),
        pytest.param(b'{"list":[%s1]}' % (b"1," * 500_001), "values", id="numbers in a Value"),
    ],
)
def test_no_body_becomes_hundreds_of_times_its_size(everything, body, refusal):
    with pytest.raises(CodecError, match=f"has more than [0-9]+ {refusal}"):
        everything.from_json(body)


def test_long_lists_of_numbers_are_taken(codec):
    messages = codec.message("modern.v1.New")
    message = messages.from_json(b'{"expanded":[%s1]}' % (b"1," * 600_000))
    assert len(messages.field(("expanded",)).get(message)) == 600_001
