"""Written answers: what files may say, and what is said of those that are wrong."""

from __future__ import annotations

import asyncio
import re

import pytest

from gateway.app.mock_files import read_answers
from gateway.call import Call, Code
from gateway.mock.written import entry_for
from gateway.schema.cache import Cache
from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load
from tests.end_to_end.system import ROOT

SCHEMA = asyncio.run(load(Sources(folders=[Folder(ROOT / "protos")]), cache=Cache(None)))
METHODS = [each for service in SCHEMA.methods.values() for each in service]
GET = "shop.catalog.v1.CatalogService.GetProduct"
CREATE = "shop.catalog.v1.CatalogService.CreateProduct"
WATCH = "shop.orders.v1.OrderService.WatchOrder"


@pytest.fixture
def read(tmp_path):
    def written(**texts):
        for name, text in texts.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        return read_answers(tmp_path, METHODS, SCHEMA.registry)

    return written


@pytest.fixture
def problem_of(read, tmp_path):
    def said(name, text):
        (line,) = read(**{f"{name}__yaml": text}).problems
        assert line.startswith(str(tmp_path / f"{name}.yaml"))
        return line.removeprefix(str(tmp_path / f"{name}.yaml"))

    return said


def test_entries_are_read_in_their_order(read):
    written = read(
        **{
            f"{GET}__yaml": "- reply: {id: a, price: {units: '3'}}\n- error: {code: NOT_FOUND}\n",
            f"{WATCH}__json": '[{"stream": [{}, {"orderId": "x"}], "interval": "5ms"}]',
            "README__md": "not one of them",
        }
    )
    assert not written.problems
    assert written.count == 3
    first, second = written.by_method[GET.replace(".Get", "/Get")]
    assert first.replies == (b"\n\x01a\x22\x02\x10\x03",)
    assert second.error.code is Code.NOT_FOUND
    (stream,) = written.by_method[WATCH.replace(".Watch", "/Watch")]
    assert stream.replies == (b"", b"\n\x01x")
    assert stream.interval == 0.005


def test_fields_are_compared_by_value_whatever_their_names_are(read):
    when = "- {when: {product.stockKeepingUnit: a, validate_only: true}, error: {code: ABORTED}}"
    when = when.replace("stockKeepingUnit", "sku")  # its JSON name
    written = read(**{f"{CREATE}__yaml": when})
    assert not written.problems
    entries = written.by_method[CREATE.replace(".Create", "/Create")]
    kind = type(entries[0].fields.expected)
    product = {"stock_keeping_unit": "a", "title": "any"}

    def fits(request):
        return entry_for(entries, Call("x"), b"", request).error is not None

    assert fits(kind(product=product, validate_only=True))
    assert not fits(kind(product=product))
    assert not fits(kind(validate_only=True))


def test_conditions_look_at_the_request(read):
    written = read(**{f"{GET}__yaml": "- {when: 'request.id == \"a\"', error: {code: ABORTED}}"})
    (entry,) = written.by_method[GET.replace(".Get", "/Get")]
    assert [entry.condition(Call("x"), data) for data in (b"\n\x01a", b"\n\x01b")] == [True, False]


def test_details_of_errors_are_packed(read):
    detail = '{"@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: 2s}'
    written = read(**{f"{GET}__yaml": f"- error: {{code: ABORTED, details: [{detail}]}}"})
    ((entry,),) = written.by_method.values()
    assert entry.error.details[0].type_url == "type.googleapis.com/google.rpc.RetryInfo"


@pytest.mark.parametrize(
    ("name", "text", "place", "said"),
    [
        (GET, "- reply: {nothing: 1}", ":1:", "answers.0.reply: no shop.catalog.v1.Product"),
        (GET, "\n- reply: {id: 1}", ":2:", "answers.0.reply: no shop.catalog.v1.Product"),
        (GET, "- stream: [{}]", ":1:", "expected reply"),
        (WATCH, "- reply: {}", ":1:", "is server streaming; expected stream"),
        (WATCH, "- stream: [{}, {bad: 1}]", ":1:", "answers.0.stream.1: no shop.orders.v1"),
        (GET, "- {reply: {}, error: {code: ABORTED}}", ":1:", "beside reply"),
        (GET, "- {when: {product.id: 1}}", ":1:", "GetProductRequest has no such field"),
        (GET, "- {when: {id: {a: 1}}}", ":1:", "no shop.catalog.v1.GetProductRequest"),
        (GET, "- {when: 'request.nothing == 1'}", ":1:", "answers.0.when: "),
        (GET, "- error: {code: NOPE}", ":1:", "a gRPC status code"),
        (GET, "- error: {code: ABORTED, details: [{'@type': x/y.Z}]}", ":1:", "error.details.0"),
        (GET, "- answer: {}", ":1:", "unknown key"),
        (GET, "- delay: soon", ":1:", "a duration"),
        (GET, "reply: {}", ":1:", "answers"),
        (GET, "- [", ":1:", "not YAML"),
        ("shop.catalog.v1.CatalogService.GetProdukt", "[]", ": no method", f'mean "{GET}"?'),
        ("x", "[]", ": no method", "expected package.Service.Method"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(problem_of, name, text, place, said):
    line = problem_of(name, text)
    assert line.startswith(place)
    assert said in line


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("# of a\n- reply: {id: a}\n", True),
        ('- {"reply": {"id": "a"}}', True),
        ("- reply: {id: b}", False),
        ("- {when: {id: a}, reply: {id: a}}", False),
        ("- {when: 'request.id == \"a\"', reply: {id: a}}", False),
        ("- {reply: {id: a}, delay: 1s}", False),
    ],
)
def test_what_a_file_says_is_told_from_what_it_said(read, text, same):
    name = GET.replace(".Get", "/Get")
    before = read(**{f"{GET}__yaml": "- reply: {id: a}"}).digests[name]
    assert (read(**{f"{GET}__yaml": text}).digests[name] == before) is same


@pytest.mark.parametrize("text", ["", "\n", "# later\n", "[]", "---\n"])
def test_a_file_without_answers_is_wrong(problem_of, text):
    said = problem_of(GET, text)
    assert re.match(r":\d+:\d+: no answers; ", said)
    assert "expected a list of one or more" in said


def test_two_files_of_one_method_and_a_folder_that_is_not_there_are_wrong(read, tmp_path):
    (line,) = read(**{f"{GET}__yaml": "[{}]", f"{GET}__json": "[{}]"}).problems
    assert "already" in line
    (line,) = read_answers(tmp_path / "nowhere", METHODS, SCHEMA.registry).problems
    assert "can't be read: No such file" in line
