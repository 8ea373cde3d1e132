"""`gateway explain --document`: what a GraphQL document would call."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from tests.cli.conftest import PROTOS, write_config
from tests.cli.processes import Ran, invoke

JOINS = PROTOS.parent / "schema" / "joins.graphql"
SHOP = """
query Orders($user: String!, $orders: Int = 5) {
  getUser(id: $user) {
    orders(limit: $orders) {
      id
      items { product { title stock { available } reviews(limit: 1) { stars } } }
    }
  }
}
"""


@pytest.fixture
def joined(tmp_path: Path) -> Path:
    """A folder with a config for the example API and its joins."""
    write_config(tmp_path, "127.0.0.1:1", "graphql:", f"  joins: [{json.dumps(str(JOINS))}]")
    return tmp_path


def explain(folder: Path, text: str, *options: str) -> Ran:
    (folder / "shop.graphql").write_text(text)
    return invoke("explain", "--document", "shop.graphql", *options, cwd=folder)


def levels(out: str) -> dict[str, list[str]]:
    """The paths of what is called, by level."""
    found: dict[str, list[str]] = {}
    for line in out.splitlines():
        if line.startswith("level "):
            found[line] = []
        elif line.startswith("  "):
            list(found.values())[-1].append(line.split()[0])
    return found


def test_the_calls_stand_by_level_under_their_paths(joined: Path) -> None:
    done = explain(joined, SHOP)
    assert done.code == 0
    product = "getUser.orders.items.product"
    assert levels(done.out) == {
        "level 1": ["getUser"],
        "level 2": ["getUser.orders"],
        "level 3": [product],
        "level 4": [f"{product}.stock", f"{product}.reviews"],
    }
    assert done.out.startswith("query Orders: 5 calls in 4 levels, ")


def test_a_join_tells_its_keys_and_how_many_go_in_a_call(joined: Path) -> None:
    line = next(each for each in explain(joined, SHOP).out.splitlines() if ".stock " in each)
    assert "1 call of shop.inventory.v1.InventoryService/BatchGetStock" in line
    assert re.search(r"for \d+ keys, 100 a call \(product_ids from id\), \d+ rows expected", line)


def test_the_second_line_holds_the_document_against_its_limits(joined: Path) -> None:
    second = explain(joined, SHOP, "--set", "graphql.limits.aliases=3").out.splitlines()[1]
    assert re.fullmatch(r"cost \d+ of 1,000, depth 6 of 12, aliases 0 of 3", second)


def test_variables_decide_how_much_is_expected(joined: Path) -> None:
    def expected(orders: int) -> int:
        given = json.dumps({"user": "u1", "orders": orders})
        found = re.search(r"(\d+) rows expected", explain(joined, SHOP, "--variables", given).out)
        assert found
        return int(found[1])

    # The user, the orders, and of each order five items: a product, its stock and one review.
    assert (expected(1), expected(2)) == (1 + 1 + 15, 1 + 2 + 30)


def test_the_items_of_a_list_in_a_reply_are_rows_of_its_call(joined: Path) -> None:
    done = explain(joined, "{ listProducts(pageSize: 7) { products { id } } }")
    assert done.out.splitlines()[0].endswith("1 call in 1 level, 7 rows expected")
    assert done.out.splitlines()[-1].endswith("ListProducts, 7 rows expected")


def test_each_operation_is_told_or_the_one_that_is_named(joined: Path) -> None:
    two = 'query A { getUser(id: "u1") { id } } mutation B { signOut { _ } }'
    told = [line for line in explain(joined, two).out.splitlines() if "row" in line and ":" in line]
    assert [line.partition(":")[0] for line in told] == ["query A", "mutation B"]
    only = explain(joined, two, "--operation", "B").out
    assert only.startswith("mutation B: 1 call in 1 level")
    assert "query A" not in only


MISTAKES = [
    pytest.param("{ getUser(id: 1 }", "shop.graphql:1:17: Syntax Error", id="no-document"),
    pytest.param(
        '{\n  getUser(id: "u1") { nam }\n}',
        "shop.graphql:2:23: Cannot query field 'nam' on type 'User'",
        id="no-field-of-the-graph",
    ),
    pytest.param(
        "{ a: getRoom }\n{ b: getRoom }",
        "shop.graphql:1:1: This anonymous operation must be the only defined operation.",
        id="two-without-a-name",
    ),
]


@pytest.mark.parametrize(("text", "line"), MISTAKES)
def test_a_mistake_has_its_line_and_column(text: str, line: str, joined: Path) -> None:
    done = explain(joined, text)
    assert (done.code, done.out) == (Exit.MISTAKE, "")
    assert done.errors[0].startswith(line)


def test_every_mistake_is_told_at_once(joined: Path) -> None:
    done = explain(joined, '{ getUser(id: "u1") { nam agee } }')
    assert [line.partition(": ")[0] for line in done.errors] == [
        "shop.graphql:1:23",
        "shop.graphql:1:27",
    ]


def test_what_is_over_a_limit_would_be_refused_and_is(joined: Path) -> None:
    done = explain(joined, SHOP, "--set", "graphql.limits.depth=3")
    assert done.code == Exit.MISTAKE
    assert "6 levels of fields deep; the limit is 3" in done.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--variables", '{"user": 5}'], "shop.graphql:2:14: ", id="of-another-type"),
        pytest.param(["--variables", "{"], "--variables is no JSON", id="no-json"),
        pytest.param(["--variables", "[]"], "--variables must be a JSON object", id="no-object"),
        pytest.param(["--operation", "X"], "Unknown operation named 'X'", id="no-operation"),
        pytest.param(["--set", "graphql=false"], "graphql is off in the config", id="no-graph"),
    ],
)
def test_what_is_given_with_it_may_be_wrong_too(
    options: list[str], says: str, joined: Path
) -> None:
    done = explain(joined, SHOP, *options)
    assert done.code == Exit.MISTAKE
    assert says in done.err
    assert "Traceback" not in done.err


def test_a_file_that_is_not_there(joined: Path) -> None:
    done = invoke("explain", "--document", "other.graphql", cwd=joined)
    assert done.code == Exit.MISTAKE
    assert done.err.startswith("other.graphql can't be read")


@pytest.mark.parametrize("arguments", [[], ["GetUser", "--document", "shop.graphql"]])
def test_it_is_about_one_of_a_method_and_a_document(arguments: list[str], joined: Path) -> None:
    done = invoke("explain", *arguments, cwd=joined)
    assert done.code == Exit.MISTAKE
    assert "give one of METHOD and --document" in done.err
