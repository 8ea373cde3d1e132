"""Frames of JSON: what is one, what is none, and that the usual ones are read as all others are."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.fronts.websocket.frames import MOST_ID, FrameError, Hello, Message, Open, Ping
from gateway.fronts.websocket.json_frames import _READERS, JsonFraming
from gateway.fronts.websocket.json_members import Members

FRAMING = JsonFraming()
ID = "id must be a whole number from 1 to 9007199254740991"


def message(body, *more):
    return '{"t":"message","id":1,' + ",".join([f'"body":{body}', *more]) + "}"


def refusal(text):
    with pytest.raises(FrameError) as wrong:
        FRAMING.read(text)
    assert wrong.value.code == 4400
    return wrong.value.reason


@pytest.mark.parametrize(
    ("text", "words"),
    {
        "binary": (b'{"t":"hello"}', "frames of grpcws.v1.json are text, not binary"),
        "nothing": ("", "a frame is a JSON object"),
        "a list": ("[]", "a frame is a JSON object"),
        "a number": ("1", "a frame is a JSON object"),
        "a byte order mark": ('\ufeff{"t":"hello"}', "a frame is a JSON object"),
        "no kind": ("{}", "the frame lacks t"),
        "a kind of null": ('{"t":null}', "the frame lacks t"),
        "a kind of a number": ('{"t":1}', "t must be a string"),
        "an unknown kind": ('{"t":"shout"}', 'there is no frame "shout"'),
        "a server's kind": ('{"t":"welcome"}', 'there is no frame "welcome"'),
        "an unknown kind, long": (
            json.dumps({"t": "x" * 1000}),
            f'there is no frame "{"x" * 32}"',
        ),
        "the end is missing": ('{"t":"hello"', "the frame is not valid JSON"),
        "two values": ('{"t":"hello"}{}', "the frame is not valid JSON"),
        "a comma too many": ('{"t":"hello",}', "the frame is not valid JSON"),
        "a comma at first": ('{,"t":"hello"}', "the frame is not valid JSON"),
        "no comma": ('{"t":"hello" "x":1}', "the frame is not valid JSON"),
        "no colon": ('{"t" "hello"}', "the frame is not valid JSON"),
        "no value": ('{"t":}', "the frame is not valid JSON"),
        "a name without quotes": ('{t:"hello"}', "the frame is not valid JSON"),
        "a name of a number": ('{1:"hello"}', "the frame is not valid JSON"),
        "a control character": ('{"t":"hel\nlo"}', "the frame is not valid JSON"),
        "other white space": ('{\u00a0"t":"hello"}', "the frame is not valid JSON"),
        "an escape that is none": (r'{"t":"hello\x"}', "the frame is not valid JSON"),
        "a body cut short": ('{"t":"message","id":1,"body":[1', "the frame is not valid JSON"),
        "no end behind a body": ('{"t":"message","id":1,"body":1', "the frame is not valid JSON"),
        "more behind a body": ('{"t":"message","id":1,"body":1}}', "the frame is not valid JSON"),
        "a kind twice": ('{"t":"ping","t":"ping"}', 'the frame has a member twice: "t"'),
        "a body twice": (
            '{"t":"message","id":1,"body":1,"body":2}',
            'the frame has a member twice: "body"',
        ),
        "a kind twice, escaped": (
            r'{"t":"ping","\u0074":"ping"}',
            'the frame has a member twice: "t"',
        ),
        "an unknown member twice": (
            json.dumps({"t": "ping"})[:-1] + ',"é":1,"é":2}',
            'the frame has a member twice: "\\u00e9"',
        ),
        "id 0": ('{"t":"cancel","id":0}', ID),
        "id -1": ('{"t":"cancel","id":-1}', ID),
        "id 2^53": ('{"t":"cancel","id":9007199254740992}', ID),
        "id of a fraction": ('{"t":"cancel","id":1.0}', ID),
        "id with an exponent": ('{"t":"cancel","id":1e0}', ID),
        "id of true": ('{"t":"cancel","id":true}', ID),
        "id of text": ('{"t":"cancel","id":"1"}', ID),
        "id of NaN": ('{"t":"cancel","id":NaN}', ID),
        "id of Infinity": ('{"t":"cancel","id":Infinity}', ID),
        "id of null": ('{"t":"cancel","id":null}', "the frame lacks id"),
        "id with a zero before": ('{"t":"cancel","id":01}', "the frame is not valid JSON"),
        "no id": ('{"t":"cancel"}', "the frame lacks id"),
        "id of 5000 digits": (
            f'{{"t":"cancel","id":{"1" * 5000}}}',
            "the frame is not valid JSON",
        ),
        "id 0 of a usual message": ('{"t":"message","id":0,"body":{}}', ID),
        "id 2^53 of a usual message": ('{"t":"message","id":9007199254740992,"body":{}}', ID),
        "no n": ('{"t":"credit","id":1}', "the frame lacks n"),
        "n of true": (
            '{"t":"credit","id":1,"n":true}',
            "n must be a whole number from 0 to 2147483647",
        ),
        "n -1": (
            '{"t":"credit","id":1,"n":-1}',
            "n must be a whole number from 0 to 2147483647",
        ),
        "credit of a fraction": (
            '{"t":"open","id":1,"method":"m","credit":1.5}',
            "credit must be a whole number from 0 to 2147483647",
        ),
        "timeout of text": (
            '{"t":"open","id":1,"method":"m","timeout_ms":"1"}',
            f"timeout_ms must be a whole number from 0 to {MOST_ID}",
        ),
        "method of a number": ('{"t":"open","id":1,"method":1}', "method must be a string"),
        "end of a number": (
            '{"t":"open","id":1,"method":"m","end":1}',
            "end must be true or false",
        ),
        "metadata of an object": (
            '{"t":"open","id":1,"method":"m","metadata":{"a":"b"}}',
            "metadata must be a list of pairs of strings",
        ),
        "metadata of triples": (
            '{"t":"open","id":1,"method":"m","metadata":[["a","b","c"]]}',
            "metadata must be a list of pairs of strings",
        ),
        "metadata of a number": (
            '{"t":"open","id":1,"method":"m","metadata":[["a",1]]}',
            "metadata must be a list of pairs of strings",
        ),
        "metadata of texts of two": (
            '{"t":"open","id":1,"method":"m","metadata":["ab"]}',
            "metadata must be a list of pairs of strings",
        ),
        "features of text": (
            '{"t":"hello","features":"resume"}',
            "features must be a list of strings",
        ),
        "features of numbers": (
            '{"t":"hello","features":[1]}',
            "features must be a list of strings",
        ),
        "seen of a list": (
            '{"t":"hello","seen":[[1,2]]}',
            "seen must be an object of whole numbers by id",
        ),
        "seen by a padded id": (
            '{"t":"hello","seen":{"01":2}}',
            "seen must be an object of whole numbers by id",
        ),
        "seen by other digits": (
            '{"t":"hello","seen":{"١":2}}',
            "seen must be an object of whole numbers by id",
        ),
        "seen of true": (
            '{"t":"hello","seen":{"1":true}}',
            "seen must be an object of whole numbers by id",
        ),
        "granted of -1": (
            '{"t":"hello","granted":{"1":-1}}',
            "granted must be an object of whole numbers by id",
        ),
        "data of a list": ('{"t":"ping","data":[]}', "data must be a string"),
        "token of a number": ('{"t":"auth","token":1}', "token must be a string"),
    }.values(),
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_what_is_refused(text, words):
    assert refusal(text) == words


def test_deep_nesting_is_refused_and_breaks_nothing():
    for text in ("[" * 200_000, "[" * 20_000 + "]" * 20_000):
        frame = '{"t":"message","id":1,"x":' + text + "}"
        assert refusal(frame) == "there is too much in the frame"


@pytest.mark.parametrize("end", [[], [' "end" : true ']], ids=["last", "before end"])
@pytest.mark.parametrize(
    "body",
    [
        "nul",
        '{"text":',
        "[" * 200_000,
        "[" * 20_000 + "]" * 20_000,
        f"[{'[],' * 200_000}[]]",
        '{"text":"' + "[" * 100_001 + '"}',
        '{"text":"' + "[" * 100_001,
    ],
    ids=["no JSON", "cut", "deep", "nested", "many", "brackets in a string", "no end"],
)
def test_a_body_that_is_not_read_is_for_its_stream_to_refuse(body, end):
    frame = FRAMING.read(message(body, *end))
    assert (frame.id, frame.body.rstrip()) == (1, body.encode())


@pytest.mark.parametrize(
    "body",
    ["NaN", "-Infinity", "1" * 5000, "1e999", "[" * 300 + "]" * 300, r'"\ud800"', "{\n}"],
    ids=[
        "NaN",
        "-Infinity",
        "an integer of 5000 digits",
        "1e999",
        "nested 300 deep",
        "a lone surrogate",
        "white space",
    ],
)
@pytest.mark.parametrize("end", [[], ['"end":true']], ids=["usual", "not so"])
def test_a_body_is_its_codecs_to_judge(body, end):
    frame = FRAMING.read(message(body, *end))
    assert frame == Message(1, body.encode(), end=bool(end))


def test_the_text_of_a_body_is_kept_as_it_is():
    body = '{ "a" : 1.50, "a":2, "é":"\\u00e9" }'
    text = '{"t":"open","id":1,"method":"m","body": HERE ,"end":true}'.replace("HERE", body)
    frame = FRAMING.read(text)
    assert frame == Open(1, "m", body=body.encode(), end=True)


@pytest.mark.parametrize(
    "text",
    [
        '{"t":"message","id":1,"body":null}',
        '{"t":"message","id":1,"body": null }',
        '{"t":"message","id":1,"body":null,"end":null,"seq":null}',
        '{"t":"message","id":1}',
    ],
    ids=["usual", "white space", "others too", "absent"],
)
def test_a_member_that_is_null_is_absent(text):
    assert FRAMING.read(text) == Message(1, None)


def test_members_that_are_unknown_are_ignored():
    assert FRAMING.read('{"t":"ping","x":{"y":[1,{}]},"body":7}') == Ping()


def test_a_lone_surrogate_comes_back_as_it_came():
    frame = FRAMING.read(r'{"t":"ping","data":"\ud800"}')
    assert json.loads(FRAMING.pong(frame.data)) == {"t": "pong", "data": "\ud800"}


# What most frames are is recognised as a whole. It must make no difference.


def slowly(text):
    members = Members.of(text)
    return _READERS[members.text("t", required=True)](members)


def outcome(read, text):
    try:
        return read(text)
    except FrameError as wrong:
        return wrong.reason


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["body", '"', "\\", "}", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def texts_of_messages(draw):
    """Messages in any order and spacing, some with more members, some cut or added to."""
    said = [
        ("t", "message"),
        ("id", draw(st.integers(-1, 2**53 + 1) | st.sampled_from([1, 10**14, 10**15, True]))),
    ]
    if draw(st.booleans()):
        said.append(("seq", draw(st.integers(0, 2**54))))
    if draw(st.booleans()):
        said.append(("body", draw(values)))
    if draw(st.booleans()):
        said.append(("end", draw(st.sampled_from([True, False, None, 0]))))
    if draw(st.booleans()):
        said = draw(st.permutations(said))
    if draw(st.booleans()):
        said.append(draw(st.sampled_from(said)))
    space = draw(st.sampled_from(["", "", "", " ", "\n\t", "\r"]))
    members = [
        f"{json.dumps(name)}{space}:{space}{json.dumps(value, ensure_ascii=draw(st.just(True)))}"
        for name, value in said
    ]
    text = "{" + f"{space},{space}".join(members) + "}"
    cut = draw(st.sampled_from([None, None, None, -1, -2]))
    return text[:cut] + draw(st.sampled_from(["", "", "", " ", "}", ",", "x"]))


@given(texts_of_messages())
@example('{"t":"message","id":1,"body":null}')
@example('{"t":"message","id":1,"seq":0,"body":1}')
@example('{"t":"message","id":1,"body":1 }')
def test_the_usual_message_is_read_as_all_others_are(text):
    assert outcome(FRAMING.read, text) == outcome(slowly, text)


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@given(texts_of_messages())
@example('{"t":"message","id":1,"body":[{}')
def test_what_is_taken_is_json_and_means_what_json_says(text):
    """But for a body that is none and stands last: that is its stream's to refuse."""
    frame = outcome(FRAMING.read, text)
    if isinstance(frame, Message) and (frame.body is None or is_json(frame.body)):
        said = json.loads(text)
        assert frame.id == said["id"]
        assert frame.seq == (said.get("seq") or 0)
        assert frame.end == bool(said.get("end"))
        if frame.body is None:
            assert said.get("body") is None
        else:
            assert json.dumps(json.loads(frame.body)) == json.dumps(said["body"])


@given(st.text() | st.text('{}[]":,tidmessagebody 0123456789\\'))
def test_no_text_breaks_the_reader(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # no WebSocket has such a text
    assert outcome(FRAMING.read, text) is not None


def test_a_hello_with_many_streams():
    seen = {str(id_): 1 for id_ in range(1, 5001)}
    frame = FRAMING.read(json.dumps({"t": "hello", "seen": seen}))
    assert isinstance(frame, Hello)
    assert len(frame.seen) == 5000
