"""The same Strawberry types, resolved by the gateway and by Strawberry's own executor."""

import asyncio
import json
from typing import Annotated
from zlib import crc32

import strawberry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.extensions import Extensions
from tests.examples import examples
from tests.fronts.graphql.extend.asking import Asking

# What each leaf does is decided by the seed of the run: a value, null, or a failure.
CHOICES = ["value", "value", "value", "null", "raise"]


class Plan:
    """What each resolver gives: the same for both executors, however often it is asked."""

    def __init__(self, seed=0):
        self.seed = seed

    def of(self, *key):
        return CHOICES[crc32(repr((self.seed, *key)).encode()) % len(CHOICES)]


NOW = Plan()


def given_value(kind, number, value):
    match NOW.of(kind, number):
        case "value":
            return value
        case "null":
            return None
    raise ValueError(f"{kind} failed")


@strawberry.interface
class Node:
    number: int

    @strawberry.field
    def loose(self) -> str | None:
        return given_value("loose", self.number, "l")

    @strawberry.field
    async def strict(self) -> str:
        await asyncio.sleep(0)
        return given_value("strict", self.number, "s")

    @strawberry.field
    def child(self) -> Annotated["Node", strawberry.lazy(__name__)] | None:
        return given_value("child", self.number, _node(self.number * 2))

    @strawberry.field
    async def must(self) -> Annotated["Node", strawberry.lazy(__name__)]:
        return given_value("must", self.number, _node(self.number * 2 + 1))

    @strawberry.field
    def children(self) -> list[Annotated["Node", strawberry.lazy(__name__)] | None]:
        return [given_value("item", (self.number, i), _node(self.number + i)) for i in range(3)]

    @strawberry.field
    def leaves(self) -> list[int] | None:
        return [given_value("leaf", (self.number, i), i) for i in range(2)]


@strawberry.type
class Odd(Node):
    odd: bool = True


@strawberry.type
class Even(Node):
    even: bool = True


def _node(number):
    number %= 1009
    return Odd(number=number) if number % 2 else Even(number=number)


@strawberry.type
class Query:
    @strawberry.field
    def node(self, number: int = 1) -> Node | None:
        return _node(number)

    @strawberry.field
    async def either(self, number: int) -> Annotated[Odd | Even, strawberry.union("Either")]:
        return _node(number)


REFERENCE = strawberry.Schema(query=Query, types=[Odd, Even])
FIELDS = ["loose", "strict", "number", "leaves", "__typename", "... on Odd { odd }", "a: loose"]


def selections():
    leaf = st.sampled_from(FIELDS)
    return st.recursive(
        st.lists(leaf, min_size=1, max_size=4, unique=True).map(" ".join),
        lambda inner: st.lists(
            leaf
            | st.builds("child {{ {} }}".format, inner)
            | st.builds("must {{ {} }}".format, inner)
            | st.builds("children {{ {} }}".format, inner),
            min_size=1,
            max_size=3,
            unique_by=lambda text: text.partition(" ")[0],
        ).map(" ".join),
        max_leaves=6,
    )


async def compare(asking, text):
    reference = await REFERENCE.execute(text)
    response = await asking.response(text)
    assert json.dumps(response["data"]) == json.dumps(reference.data)
    mine = {json.dumps(each["path"]) for each in response.get("errors", ())}
    theirs = {json.dumps(each.path) for each in reference.errors or ()}
    # What is below a field that is null after all may be told of, or not (section 6.4.4).
    assert bool(mine) == bool(theirs)
    assert {each for each in mine ^ theirs if not _dropped(each, reference.data)} == set()


def _dropped(path, data):
    """Whether a field is below one that is null."""
    keys = json.loads(path)
    for key in keys[:-1]:
        data = data[key] if data is not None else None
    return data is None


def test_data_and_error_paths_are_strawberrys():
    extensions = Extensions()
    extensions.query(Query)
    extensions.include(Odd, Even)
    asking = Asking(extensions)

    @settings(
        max_examples=examples(),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(selections(), st.integers(0, 2**32), st.integers(0, 99))
    def run(selection, seed, number):
        NOW.seed = seed
        text = f"{{ node(number: {number}) {{ {selection} }} }}"
        asyncio.run(compare(asking, text))

    run()
