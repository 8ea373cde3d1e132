"""Entries are added, removed and disabled as text: what people wrote around them stays."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.document import Builder, compose
from gateway.config.edits import EditError, add, put, remove
from gateway.config.tree import plain


def text(indented):
    return dedent(indented).lstrip("\n")


def said(given):
    return plain(Builder("", {}).build(compose(given)))


def disable(text, section, name):
    return put(text, section, name, "disabled", value=True)


TWO = text("""
    # ours
    keys:
      a1:  # the first
        owner: acme   # them

      # the second
      b2:
        owner: bob
        scopes: [x,
                 y]
      # at the end
""")


def test_an_entry_is_added_behind_the_last():
    assert add(TWO, "keys", "c3", {"owner": "eve"}) == TWO.replace(
        "             y]\n", "             y]\n  c3:\n    owner: eve\n"
    )


def test_an_entry_is_removed_with_its_lines_and_no_others():
    assert remove(TWO, "keys", "a1") == text("""
        # ours
        keys:

          # the second
          b2:
            owner: bob
            scopes: [x,
                     y]
          # at the end
    """)
    assert remove(TWO, "keys", "b2") == text("""
        # ours
        keys:
          a1:  # the first
            owner: acme   # them

          # the second
          # at the end
    """)


def test_an_entry_is_disabled_by_one_line():
    assert disable(TWO, "keys", "a1") == TWO.replace(
        "    owner: acme", "    disabled: true\n    owner: acme"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "keys:\n  z:\n    owner: x\n"),
        ("# a comment", "# a comment\nkeys:\n  z:\n    owner: x\n"),
        ("# ours\n{}\n", "# ours\nkeys:\n  z:\n    owner: x\n"),
        ("{}", "keys:\n  z:\n    owner: x\n"),
        ("keys: {}\n", "keys:\n  z:\n    owner: x\n"),
        ("keys: {} # none yet\n", "keys:\n  z:\n    owner: x\n # none yet\n"),
        ("keys:\n  # none yet\n", "keys:\n  z:\n    owner: x\n  # none yet\n"),
        ("other: 1\n", "other: 1\nkeys:\n  z:\n    owner: x\n"),
        ("keys:\n  a: {}\nother: 1\n", "keys:\n  a: {}\n  z:\n    owner: x\nother: 1\n"),
        ("keys:\n    a: {}", "keys:\n    a: {}\n    z:\n      owner: x\n"),
        ("keys: {a: {}}\n", 'keys: {a: {}, "z": {"owner": "x"}}\n'),
        ("keys: {a: {},}\n", 'keys: {a: {}, "z": {"owner": "x"}}\n'),
        ('{"keys": {}}', '{"keys": {"z": {"owner": "x"}}}'),
        (
            '{\n "keys": {\n  "a": {}\n }\n}\n',
            '{\n "keys": {\n  "a": {}, "z": {"owner": "x"}\n }\n}\n',
        ),
        ("keys:\n  a:\n    t: |\n      one\n      two\n", "keys:\n  a:\n    t: |\n      one\n      two\n  z:\n    owner: x\n"),
        ("keys:\r\n  a: {}\r\n", "keys:\r\n  a: {}\r\n  z:\n    owner: x\n"),
    ],
    ids=["empty", "a comment", "an empty mapping below a comment", "an empty mapping", "no entries", "no entries and a comment",
         "nothing behind the key", "no such key", "other keys behind", "no last line feed", "flow",
         "a comma at the end", "empty JSON", "JSON", "a literal text", "other line ends"],
)  # fmt: skip
def test_where_an_entry_is_added(before, after):
    assert add(before, "keys", "z", {"owner": "x"}) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("keys:\n  z:\n    owner: x\n", "keys: {}\n"),
        ("keys: # ours\n  z:\n    owner: x\n", "keys: {} # ours\n"),
        ("keys:\n  z: {}\nother: 1\n", "keys: {}\nother: 1\n"),
        ("keys: {z: {}}\n", "keys: {}\n"),
        ("keys: {z: {}, a: {}}\n", "keys: {a: {}}\n"),
        ("keys: {a: {}, z: {}, b: {}}\n", "keys: {a: {}, b: {}}\n"),
        ("keys: {a: {}, z: {} }\n", "keys: {a: {} }\n"),
        ("keys:\n  a: {}\n  z:\n    t: |\n      one\n  b: {}\n", "keys:\n  a: {}\n  b: {}\n"),
    ],
    ids=["the only one", "the only one and a comment", "other keys behind", "flow",
         "the first in flow", "in the middle in flow", "the last in flow", "a literal text"],
)  # fmt: skip
def test_how_an_entry_is_removed(before, after):
    assert remove(before, "keys", "z") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("keys:\n  z: {owner: x}\n", 'keys:\n  z: {"disabled": true, owner: x}\n'),
        ("keys:\n  z:\n    disabled: false # yet\n", "keys:\n  z:\n    disabled: true # yet\n"),
        ("keys:\n  z: # x\n      # y\n      a: b\n", "keys:\n  z: # x\n      # y\n      disabled: true\n      a: b\n"),
    ],
    ids=["flow", "said already", "comments"],
)  # fmt: skip
def test_how_an_entry_is_disabled(before, after):
    assert disable(before, "keys", "z") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("users:\n  z: {hash: $a$b, x: y}\n", 'users:\n  z: {hash: "$c$m=1,t=2", x: y}\n'),
        ('{"users": {"z": {"hash": "$a$b"}}}', '{"users": {"z": {"hash": "$c$m=1,t=2"}}}'),
        ("users:\n  z:\n    hash: '$a' # of May\n    x: y\n",
         'users:\n  z:\n    hash: "$c$m=1,t=2" # of May\n    x: y\n'),
        ("users:\n  z:\n    x: y\n", 'users:\n  z:\n    hash: "$c$m=1,t=2"\n    x: y\n'),
    ],
    ids=["flow", "JSON", "block", "not there"],
)  # fmt: skip
def test_how_a_text_of_an_entry_is_replaced(before, after):
    assert put(before, "users", "z", "hash", "$c$m=1,t=2") == after


def test_what_others_say_too_by_an_anchor_is_not_replaced():
    with pytest.raises(EditError):
        put("users:\n  a:\n    hash: &h b\n  z:\n    hash: *h\n", "users", "z", "hash", "c")


@pytest.mark.parametrize(
    ("edit", "before"),
    [
        (disable, "keys:\n  a: &a {owner: x}\n  z: *a\n"),
        (remove, "keys:\n  z: &a {owner: x}\n  a: *a\n"),
        (disable, "keys:\n  ? z\n  : # nothing\n"),
        (remove, "[a]"),
        (remove, "keys: {z: {}"),
        (lambda *where: add(*where, {"owner": "x"}), "keys:\n  a: {}\n...\n"),
        (lambda *where: add(*where, {"owner": "x"}), "keys: &k {}\nmore: *k\n"),
        (lambda *where: add(*where, {"owner": "x"}), "keys: [a]"),
    ],
    ids=["an alias", "an anchor", "no mapping", "a list", "no YAML", "an end", "a shared section",
         "a section of another kind"],
)  # fmt: skip
def test_what_can_not_be_changed_surely_is_left_to_people(edit, before):
    try:
        after = edit(before, "keys", "z")
    except EditError as failure:
        assert "by hand" in str(failure)
    else:  # it may be possible after all; then it is right
        assert said(after)["keys"] != said(before)["keys"]


texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)
names = st.one_of(
    st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True),
    st.sampled_from(["1e5", "true", "null", "~", "no", "0x1", "12", "1.5", "a: b", "#", "${X}"]),
    texts,
)
values = st.one_of(
    names, st.booleans(), st.lists(names, max_size=3), st.dictionaries(names, names, max_size=3)
)
entries = st.dictionaries(
    st.sampled_from(["owner", "scopes", "hash", "claims"]), values, min_size=1, max_size=4
)


@given(st.dictionaries(names.filter(lambda name: "${" not in name), entries, max_size=5), st.data())
def test_entries_come_and_go_and_are_what_was_given(given, data):
    """Unless a text looks like a variable of the environment, which such files do not have."""
    now, made = {}, ""
    for name, entry in given.items():
        try:
            made = add(made, "users", name, entry)
        except EditError:
            assert "${" in str(entry)
            return
        now[name] = entry
        assert said(made) == {"users": now}
    for name in data.draw(st.permutations(list(given))):
        for key, value in (("disabled", True), ("hash", "$a$m=1,t=2$b"), ("disabled", False)):
            made = put(made, "users", name, key, value)
            now[name] = {**now[name], key: value}
            assert said(made) == {"users": now}
        made = remove(made, "users", name)
        del now[name]
        assert said(made) == {"users": now}
