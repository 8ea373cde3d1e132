"""Types of messages: what ProtoJSON has, for who sends and for who receives."""

import pytest

from tests.typescript.made import asked, made_of, types_of


def lines_of(text, name):
    """The lines of one declaration."""
    start = next(
        at for at, line in enumerate(text.splitlines()) if f" {name} " in line and "export" in line
    )
    lines = text.splitlines()[start:]
    ends = (at for at, line in enumerate(lines) if line.endswith(";") and not line.startswith(" "))
    end = next(ends, len(lines))
    braces = next((at for at, line in enumerate(lines) if line == "}"), len(lines))
    return [line.strip() for line in lines[: min(end, braces) + 1]]


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("int32 a = 1;", "a?: number;"),
        ("fixed32 a = 1;", "a?: number;"),
        ("int64 a = 1;", "a?: string;"),
        ("uint64 a = 1;", "a?: string;"),
        ("sfixed64 a = 1;", "a?: string;"),
        ("float a = 1;", "a?: Float;"),
        ("double a = 1;", "a?: Float;"),
        ("bool a = 1;", "a?: boolean;"),
        ("string a = 1;", "a?: string;"),
        ("bytes a = 1;", "a?: string;"),
        ("optional int32 a = 1;", "a?: number;"),
        ("repeated int64 a = 1;", "a?: string[];"),
        ("repeated double a = 1;", "a?: Float[];"),
        ("map<int32, int64> a = 1;", "a?: { [key: string]: string };"),
        ("map<string, Answer> a = 1;", "a?: { [key: string]: Answer };"),
        ("E a = 1;", "a?: E;"),
        ("repeated E a = 1;", "a?: E[];"),
        ("Answer a = 1;", "a?: Answer;"),
        ("google.protobuf.Timestamp a = 1;", "a?: string;"),
        ("google.protobuf.Duration a = 1;", "a?: string;"),
        ("google.protobuf.FieldMask a = 1;", "a?: string;"),
        ("google.protobuf.Int64Value a = 1;", "a?: string;"),
        ("google.protobuf.BoolValue a = 1;", "a?: boolean;"),
        ("google.protobuf.Struct a = 1;", "a?: JsonObject;"),
        ("google.protobuf.Value a = 1;", "a?: JsonValue;"),
        ("google.protobuf.ListValue a = 1;", "a?: JsonValue[];"),
        ("google.protobuf.Any a = 1;", "a?: AnyMessage;"),
        ("google.protobuf.NullValue a = 1;", "a?: null;"),
        ("google.protobuf.Empty a = 1;", "a?: { [name: string]: never };"),
        ("string two_words = 1;", "twoWords?: string;"),
        ('string a = 1 [json_name = "a-b"];', '["a-b"]?: string;'),
    ],
)
def test_a_field(field, written):
    text = types_of(asked(f"message Ask {{}} message Answer {{ {field} }} enum E {{ NONE = 0; }}"))
    assert written in lines_of(text, "Answer")


def test_names_are_the_protos_where_json_has_them():
    text = types_of(
        asked("message Ask {} message Answer { string two_words = 1; }"), proto_names=True
    )
    assert "two_words?: string;" in lines_of(text, "Answer")


def test_a_reply_has_all_fields_without_presence_where_they_are_written():
    messages = "message Ask {} message Answer { int32 a = 1; optional int32 b = 2; repeated int32 c = 3; Ask d = 4; }"
    found = lines_of(types_of(asked(messages), emit_defaults=True), "Answer")
    assert {"a: number;", "b?: number;", "c: number[];", "d?: Ask;"} <= {*found}


def test_what_is_required_must_be_given_and_may_be_missing_in_a_reply():
    both = "message Both { string a = 1 [(google.api.field_behavior) = REQUIRED]; }"
    text = types_of(asked(both, "Both", "Both"))
    assert "a?: string;" in lines_of(text, "Both")
    assert "a: string;" in lines_of(text, "BothInput")


def test_what_only_the_server_says_is_not_sent_and_what_only_clients_say_does_not_come():
    both = (
        "message Both { string made = 1 [(google.api.field_behavior) = OUTPUT_ONLY];"
        " string password = 2 [(google.api.field_behavior) = INPUT_ONLY]; string name = 3; }"
    )
    text = types_of(asked(both, "Both", "Both"))
    assert lines_of(text, "Both")[1:-1] == ["made?: string;", "name?: string;"]
    assert lines_of(text, "BothInput")[1:-1] == ["password?: string;", "name?: string;"]


def test_a_message_that_is_the_same_either_way_has_one_type():
    text = types_of(asked("message Both { string a = 1; Both b = 2; }", "Both", "Both"))
    assert "Input" not in text


def test_a_message_differs_if_one_in_it_does_at_any_depth():
    messages = (
        "message Both { Middle m = 1; } message Middle { repeated Inner i = 1; }"
        "message Inner { string a = 1 [(google.api.field_behavior) = OUTPUT_ONLY]; Both b = 2; }"
    )
    text = types_of(asked(messages, "Both", "Both"))
    assert "m?: MiddleInput;" in lines_of(text, "BothInput")
    assert "i?: InnerInput[];" in lines_of(text, "MiddleInput")
    assert "b?: BothInput;" in lines_of(text, "InnerInput")
    assert "b?: Both;" in lines_of(text, "Inner")


def test_a_circle_of_required_fields_can_be_left_out():
    text = types_of(
        asked(
            "message Ask { Inner a = 1 [(google.api.field_behavior) = REQUIRED]; }"
            "message Inner { Ask b = 1 [(google.api.field_behavior) = REQUIRED]; } message Answer {}"
        )
    )
    assert "a?: Inner;" in lines_of(text, "Ask")


def test_what_a_mask_is_about_may_have_any_of_its_fields():
    text = types_of(
        asked(
            "message Ask { Thing thing = 1; google.protobuf.FieldMask update_mask = 2; }"
            "message Thing { string a = 1 [(google.api.field_behavior) = REQUIRED]; } message Answer {}"
        )
    )
    assert "thing?: Partial<Thing>;" in lines_of(text, "Ask")


def test_members_of_a_oneof_exclude_each_other():
    text = types_of(
        asked(
            "message Ask { oneof o { string a = 1; int32 b = 2; } bool c = 3; } message Answer {}"
        )
    )
    assert (
        "export type Ask = {\n  c?: boolean;\n} & OneOf<{\n  a: string;\n  b: number;\n}>;"
        in "\n".join(line for line in text.splitlines() if line)
    )


def test_what_every_object_has_is_there_where_a_message_leaves_it_out():
    text = types_of(
        asked(
            "message Ask { string constructor = 1; int32 to_string = 2; string a = 3; } message Answer {}"
        )
    )
    assert lines_of(text, "Ask")[1:-1] == [
        'constructor?: string | FromObject<"constructor">;',
        'toString?: number | FromObject<"toString">;',
        "a?: string;",
    ]


def test_a_oneof_with_what_every_object_has_is_plain_fields():
    text = types_of(
        asked("message Ask { oneof o { string constructor = 1; string b = 2; } } message Answer {}")
    )
    assert "OneOf" not in text


def test_so_many_oneofs_that_a_compiler_would_give_up_are_plain_fields():
    oneofs = "".join(
        f"oneof o{each} {{ {' '.join(f'string f{each}_{at} = {each * 10 + at + 1};' for at in range(4))} }}"
        for each in range(6)
    )
    text = types_of(asked(f"message Ask {{ {oneofs} }} message Answer {{}}"))
    assert "OneOf" not in text
    assert "f50?: string;" in lines_of(text, "Ask")


def test_an_enum_has_names_and_whatever_is_newer():
    text = types_of(
        asked("enum E { NONE = 0; ONE = 1; } message Ask { E e = 1; } message Answer {}")
    )
    assert lines_of(text, "E") == ["export type E =", '| "NONE"', '| "ONE"', "| Unrecognized;"]


def test_an_enum_has_numbers_by_name_where_json_has_them():
    text = types_of(
        asked("enum E { NONE = 0; MINUS = -1; } message Ask { E e = 1; } message Answer {}"),
        enums_as_numbers=True,
    )
    assert "export const E = {\n  NONE: 0,\n  MINUS: -1,\n} as const;" in text
    assert "export type E = (typeof E)[keyof typeof E] | Unrecognized;" in text


def test_comments_and_what_is_deprecated_are_told():
    text = types_of(
        asked(
            "// About Ask: */ is no end.\nmessage Ask {\n  // A field.\n  string a = 1 [deprecated = true];\n}\n"
            "message Answer { option deprecated = true; }"
        )
    )
    assert "/** About Ask: *\\/ is no end. */\nexport interface Ask" in text
    assert "  /**\n   * A field.\n   *\n   * @deprecated\n   */\n  a?: string;" in text
    assert "/** @deprecated */\nexport type Answer" in text


def test_what_cannot_be_met_is_left_out():
    text = types_of(asked("message Ask {} message Answer {} message Other {} enum E { NONE = 0; }"))
    assert "Other" not in text
    assert "E " not in text.replace("EMPTY", "")


def test_nothing_depends_on_the_order_of_files_or_calls():
    proto = asked("message Ask { Answer a = 1; } message Answer { Ask b = 1; }")
    assert made_of(proto) == made_of(proto)
