"""The field mask of a JSON body: which paths it names, and where they end."""

import pytest

from gateway.schema.codec import CodecError

ROWS = [
    ("nothing", "{}", []),
    ("scalars in their order", '{"text": "a", "anInt32": 0}', ["text", "an_int32"]),
    ("proto names", '{"an_int32": 0}', ["an_int32"]),
    ("json_name", '{"@other": ""}', ["renamed"]),
    ("null is a field to clear", '{"text": null, "child": null}', ["text", "child"]),
    ("messages are gone into", '{"child": {"text": "a", "inner": {"depth": 1}}}', ["child.text", "child.inner.depth"]),
    ("an empty message is a path", '{"child": {"inner": {}}, "inner": {}}', ["child.inner", "inner"]),
    ("a member of a oneof", '{"chosenChild": {"chosenText": "a"}}', ["chosen_child.chosen_text"]),
    ("repeated fields end it", '{"children": [{"text": "a"}], "texts": []}', ["children", "texts"]),
    ("maps end it", '{"childrenByText": {"a": {"text": "a"}}}', ["children_by_text"]),
    ("an Any ends it", '{"any": {"@type": "type.googleapis.com/codec.v1.Plain", "id": "a"}}', ["any"]),
    ("a Struct ends it", '{"struct": {"text": {"a": 1}}, "value": {"a": 1}, "list": [1]}', ["struct", "value", "list"]),
    ("wrappers and times end it", '{"int32Wrapper": 1, "time": "2020-01-01T00:00:00Z", "duration": "1s"}', ["int32_wrapper", "time", "duration"]),
    ("a mask ends it", '{"mask": "a,b"}', ["mask"]),
    ("Empty has no fields", '{"empty": {}}', ["empty"]),
    ("unknown fields have no path", '{"nope": {"a": 1}, "child": {"nope": 1}}', ["child"]),
    ("no object", "[1]", []),
]  # fmt: skip


@pytest.mark.parametrize(("body", "paths"), [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_paths(everything, body, paths):
    assert everything.json_paths(body.encode()) == paths


def test_what_is_no_json_has_no_paths(everything):
    with pytest.raises(CodecError) as refused:
        everything.json_paths(b'{"text": ')
    assert refused.value.malformed
