"""Answers that are kept key by key: what is asked for, what is answered, and who must be asked."""

from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, Reply
from gateway.errors import error
from gateway.fronts.graphql.execute.keyed import Keyed
from gateway.fronts.graphql.graph.sources import Join, source_of
from gateway.fronts.graphql.plan.finding import by_lookup
from tests.fronts.graphql.execute import orders
from tests.fronts.graphql.execute.orders import bench, new
from tests.fronts.graphql.execute.test_joins import ITEMS, batch, order, product, titles
from tests.fronts.graphql.execute.upstreams import codes, failure
from tests.policies.cache.caching import Caching

_FIELDS = {
    "an answer a key": ("Item", "product"),
    "a map": ("Order", "user"),
    "a message around the answers": ("Product", "maker"),
    "several answers a key": ("User", "orders"),
}


def finder_of(type_, name):
    source = source_of(orders.graph().schema.type_map[type_].fields[name])
    assert isinstance(source, Join)
    return by_lookup(source.lookup)


def keyed_of(finder, keys, base=b""):
    return Keyed(finder, finder.reply_of, base, keys)


def plain(found, keys):
    return {key: [each.SerializeToString() for each in found.get(key, ())] for key in keys}


class TestAnswersOfKeys:
    """Kept answers and a reply to the rest are one reply again."""

    @pytest.mark.parametrize("which", _FIELDS.values(), ids=_FIELDS)
    @given(data=st.data())
    def test_a_reply_is_the_sum_of_its_answers(self, which, data):
        finder = finder_of(*which)
        known = [1, 2, 3, 2**60] if which[1] == "maker" else ["a", "b", "c", "d", "e", "ä"]
        world = orders.World(data.draw(st.integers(0, 999)), wrong=False)
        keys = data.draw(st.lists(st.sampled_from(known), unique=True, min_size=1))
        kept = sorted(data.draw(st.sets(st.sampled_from(range(len(keys))))))
        asked = [place for place in range(len(keys)) if place not in kept]
        keyed = keyed_of(finder, keys)

        def ask(places):
            service, _, method = finder.name.partition("/")
            rpc = orders.registry().pool.FindServiceByName(service).methods_by_name[method]
            request = GetMessageClass(rpc.input_type).FromString(keyed.request(places))
            return world.answers()[finder.name](request).SerializeToString()

        whole = finder.found(finder.reply.FromString(ask(range(len(keys)))), keys)
        items = keyed.split(kept, ask(kept)) if kept else []
        again = b"".join([ask(asked) if asked else b"", *items])
        found = finder.found(finder.reply.FromString(again), keys)
        assert plain(found, keys) == plain(whole, keys)

    def test_an_answer_is_of_its_key_alone(self):
        finder = finder_of("Item", "product")
        reply = new("Products", products=[product("x"), product("b"), product("a"), product("b")])
        keyed = keyed_of(finder, ["a", "b", "c"])
        a, b, c = keyed.split([0, 1, 2], reply.SerializeToString())
        assert a == new("Products", products=[product("a")]).SerializeToString()
        assert b == new("Products", products=[product("b")] * 2).SerializeToString()
        assert c == b""

    def test_what_is_no_reply_has_no_answers(self):
        assert keyed_of(finder_of("Item", "product"), ["a"]).split([0], b"\xff") is None

    def test_keys_have_names_that_differ(self):
        keyed = keyed_of(finder_of("Product", "maker"), [0, 1, -1, 2**60])
        assert len(set(keyed.names)) == 4

    def test_what_is_asked_of_keys_tells_lookups_apart(self):
        product_of, user = finder_of("Item", "product"), finder_of("Order", "user")
        rests = {keyed_of(finder, ["a"], base).rest
                 for finder in (product_of, user) for base in (b"", b"\x18\x01")}  # fmt: skip
        assert len(rests) == 4


@dataclass
class Keeping:
    """Keeps answers by key for ever; the obvious form of a cache, behind the gates."""

    kept: dict = field(default_factory=dict)

    def filter(self, call, done, proceed):
        keys = call.keys
        if keys is None:
            return proceed(call, done)
        named = [(call.method, keys.rest, name) for name in keys.names]
        keys.kept = {
            place: self.kept[name] for place, name in enumerate(named) if name in self.kept
        }
        missing = [place for place in range(len(named)) if place not in keys.kept]
        if not missing:
            done(Reply(b"".join(keys.kept.values())))
            return lambda: None

        def finish(result):
            if isinstance(result, Reply):
                items = keys.split(missing, result.message)
                self.kept.update(zip([named[place] for place in missing], items, strict=True))
                result = replace(result, message=result.message + b"".join(keys.kept.values()))
            done(result)

        return proceed(replace(call, request=keys.request(missing), keys=None), finish)


class Real:
    """The gateway's own cache, for calls that ask by keys."""

    def __init__(self):
        self._cache = Caching(ttl=1000.0).filter

    def filter(self, call, done, proceed):
        if call.keys is None:
            return proceed(call, done)
        return self._cache.filter(call, done, proceed)


@dataclass
class Scoped:
    """A gate that refuses calls of one method, and keeps those that it saw."""

    denies: str = ""
    seen: list = field(default_factory=list)

    def admit(self, call):
        self.seen.append(call)
        if call.method.endswith(f"/{self.denies}"):
            raise error("INSUFFICIENT_SCOPE", "No.")


@dataclass
class Shop:
    """A bench whose order can change, behind a gate and a cache."""

    cache: object
    products: object = staticmethod(batch)
    gate: Scoped = field(default_factory=Scoped)
    ids: tuple = ()

    def __post_init__(self):
        answers = {
            "GetOrder": lambda _: order(*self.ids),
            "BatchGetProducts": self._products,
        }
        self.bench = bench(answers, policies=[self.gate, self.cache], keeps_keys=True)

    def _products(self, request):
        return self.products(request)

    def asked(self):
        """The keys of each batch that the backend was asked for."""
        calls = [each.request for each in self.bench.backend.asked if "Batch" in each.name]
        return [list(each.ids) for each in calls]

    def run(self, *ids, query=ITEMS):
        self.ids = ids
        return self.bench.run(query)


@pytest.fixture(params=[Keeping, Real], ids=["the obvious cache", "the gateway's cache"])
def shop_of(request):
    return partial(Shop, request.param())


def test_only_what_is_not_kept_is_asked_for(shop_of):
    shop = shop_of()
    assert titles(shop.run("a", "b")) == ["Ta", "Tb"]
    assert titles(shop.run("c", "b", "d", "a")) == ["Tc", "Tb", "Td", "Ta"]
    assert titles(shop.run("a", "d")) == ["Ta", "Td"]
    assert shop.asked() == [["a", "b"], ["c", "d"]]


def test_that_there_is_nothing_is_an_answer_too(shop_of):
    shop = shop_of(products=lambda _: new("Products"))
    assert titles(shop.run("a")) == titles(shop.run("a")) == [None]
    assert shop.asked() == [["a"]]


def test_arguments_are_part_of_what_is_asked(shop_of):
    shop = shop_of()
    shop.run("a")
    english = '{ getOrder { items { product(language: "en") { title } } } }'
    shop.run("a", query=english)
    shop.run("a", query=english)
    assert shop.asked() == [["a"], ["a"]]


def test_gates_see_all_that_is_asked_for(shop_of):
    shop = shop_of()
    shop.run("a", "b")
    shop.run("b", "c")
    shop.run("b", "c")
    seen = [call.request for call in shop.gate.seen if call.keys is not None]
    requests = [shop.bench.backend.input_of(f"{orders.API}/BatchGetProducts").FromString(each)
                for each in seen]  # fmt: skip
    assert [list(each.ids) for each in requests] == [["a", "b"], ["b", "c"], ["b", "c"]]


def test_who_may_not_call_gets_nothing_that_is_kept(shop_of):
    shop = shop_of()
    assert titles(shop.run("a")) == ["Ta"]
    shop.gate.denies = "BatchGetProducts"
    response = shop.run("a")
    assert titles(response) == [None]
    assert codes(response) == [("getOrder/items/0/product", "PERMISSION_DENIED")]


def test_what_is_kept_is_answered_where_the_rest_fails(shop_of):
    shop = shop_of()
    shop.run("a", "b")
    shop.products = lambda _: failure(Code.UNAVAILABLE)
    response = shop.run("a", "c")
    assert titles(response) == ["Ta", None]
    assert codes(response) == [("getOrder/items/1/product", "UNAVAILABLE")]


def test_what_is_kept_badly_is_as_if_it_were_not():
    keyed = keyed_of(finder_of("Item", "product"), ["a", "b"])
    item = new("Products", products=[product("b")]).SerializeToString()
    keyed.kept = {0: b"\xff", 1: item}
    assert list(keyed.answers()) == ["b"]


def test_without_a_cache_calls_say_no_keys():
    gate = Scoped()
    found = bench({"GetOrder": lambda _: order("a"), "BatchGetProducts": batch}, policies=[gate])
    found.run(ITEMS)
    assert [call.keys for call in gate.seen] == [None, None]


def test_a_call_for_one_key_is_kept_as_any_call():
    gate = Scoped()
    answers = {
        "GetOrder": lambda _: order("a"),
        "BatchGetProducts": lambda request: new(
            "Products",
            products=[new("Product", id="a", naming=new("Naming", category_id="c"))],
        ),
        "GetCategory": lambda request: new("Category", id=request.id, name="C"),
    }
    found = bench(answers, policies=[gate], keeps_keys=True)
    found.run("{ getOrder { items { product { category { name } } } } }")
    keyed = {call.method.partition("/")[2]: call.keys is not None for call in gate.seen}
    assert keyed == {"GetOrder": False, "BatchGetProducts": True, "GetCategory": False}
