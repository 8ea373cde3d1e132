"""What methods answer, by the shapes of their requests and replies."""

from __future__ import annotations

import re

import pytest
from google.protobuf import json_format

from gateway.call import RpcError
from gateway.mock.answers import Answers
from gateway.mock.dice import Dice
from gateway.mock.shape import PAGE, shape_of
from tests.mock.types import maker_of, registry_of

PROTO = """
syntax = "proto3";
import "google/api/field_behavior.proto";
import "google/api/resource.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";

message Book {
  option (google.api.resource) = {type: "x/Book", pattern: "shelves/{shelf}/books/{book}"};
  string name = 1;
  string title = 2;
  Author author = 3;
  string etag = 4 [(google.api.field_behavior) = OUTPUT_ONLY];
  repeated string tags = 5;
}
message Author { int64 id = 1; string full_name = 2; }
message Note { string author_id = 1; string text = 2; }
message Get { string name = 1; }
message GetReply { Book book = 1; }
message Update { Book book = 1; google.protobuf.FieldMask update_mask = 2; }
message PageOf { int32 page_size = 1; string page_token = 2; string title = 3; }
message ListBooksReply {
  repeated Book books = 1; string next_page_token = 2; int32 total_size = 3;
}
message Follow { string cursor = 1; int32 limit = 2; }
message FollowReply { repeated Note notes = 1; string next_cursor = 2; bool has_more = 3; }
message Create { string parent = 1; Book book = 2; string book_id = 3; }
message CreateAuthor { Author author = 1; int64 author_id = 2; }
message ByIds { repeated int64 ids = 1; }
message AuthorsReply { repeated Author authors = 1; int32 count = 2; }
message AuthorsMap { map<int64, Author> authors = 1; }
message Plain { repeated Author people = 1; string note = 2; }
service S {
  rpc GetBook(Get) returns (GetReply);
  rpc ReadBook(Get) returns (Book);
  rpc UpdateBook(Update) returns (Book);
  rpc CreateBook(Update) returns (GetReply);
  rpc MakeBook(Create) returns (Book);
  rpc MakeAuthor(CreateAuthor) returns (Author);
  rpc WatchBooks(PageOf) returns (stream Book);
  rpc ListBooks(PageOf) returns (ListBooksReply);
  rpc ListNotes(Follow) returns (FollowReply);
  rpc BatchGetAuthors(ByIds) returns (AuthorsReply);
  rpc MapAuthors(ByIds) returns (AuthorsMap);
  rpc Delete(Get) returns (google.protobuf.Empty);
  rpc Echo(Book) returns (Book);
}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("protos")
    (folder / "a.proto").write_text(PROTO)
    return registry_of(folder)


@pytest.fixture
def ask(registry):
    """Asks a method; returns its answer as JSON has it, with names as protos have them."""
    methods = {each.name.partition("/")[2]: each for each in registry.methods("S")}
    maker = maker_of(registry, *(each.output for each in methods.values()))

    def made(name, request, seed=b"0", *, received=0, event=0):
        method = methods[name]
        takes, gives = registry.message(method.input), registry.message(method.output)
        shape = shape_of(name, takes, gives)
        answers = Answers(maker, method.name, shape, gives, Dice(seed))
        message = json_format.ParseDict(request, maker.new(takes))
        if event:
            answer = answers.event(message, event)
        else:
            answer = answers.received(message, received) if received else answers.unary(message)
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

    return made


BOOK = "shelves/1/books/7"


def test_a_thing_has_the_name_that_was_asked_for_also_within_a_reply(ask):
    book = ask("ReadBook", {"name": BOOK})
    assert book["name"] == BOOK
    assert ask("GetBook", {"name": BOOK}) == {"book": book}


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ({"parent": "shelves/a", "book_id": "mine"}, r"shelves/a/books/mine"),
        ({"parent": "shelves/a"}, r"shelves/a/books/book-\d{4}"),
        ({"book_id": "mine"}, r"shelves/shelf-1/books/mine"),
        ({"parent": "elsewhere/a/b"}, r"shelves/shelf-1/books/book-\d{4}"),
    ],
    ids=["parent-and-id", "parent", "id", "a-parent-of-another-form"],
)
def test_what_is_created_has_the_name_that_the_request_wants(ask, request_, name):
    made = ask("MakeBook", {"book": {"title": "T"}, **request_})
    assert made["title"] == "T"
    assert re.fullmatch(name, made["name"])


def test_an_id_that_is_wanted_need_be_no_text(ask):
    assert ask("MakeAuthor", {"author": {"full_name": "A"}, "author_id": "7"})["id"] == "7"


def test_a_stream_tells_the_same_of_a_thing(ask):
    for number in (1, 2, 3):
        book = ask("WatchBooks", {}, event=number)
        assert book == ask("ReadBook", {"name": book["name"]})


def test_another_key_is_another_thing_and_another_seed_too(ask):
    titles = {
        ask("ReadBook", {"name": f"shelves/1/books/{number}"}, seed)["title"]
        for number in range(6)
        for seed in (b"0", b"1")
    }
    assert len(titles) > 6


def test_an_update_is_the_thing_with_what_the_mask_names(ask):
    given = {"name": BOOK, "title": "New", "tags": ["no"], "author": {"full_name": "Me"}}
    before = ask("ReadBook", {"name": BOOK})
    after = ask("UpdateBook", {"book": given, "update_mask": "title,author.fullName"})
    author = before["author"] | {"full_name": "Me"}
    assert after == before | {"title": "New", "author": author}


def test_an_update_without_a_mask_is_the_thing_with_all_that_is_set(ask):
    before = ask("ReadBook", {"name": BOOK})
    assert ask("UpdateBook", {"book": {"name": BOOK, "tags": ["a"]}}) == before | {"tags": ["a"]}


def test_a_path_of_a_mask_that_leads_nowhere_changes_nothing(ask):
    before = ask("ReadBook", {"name": BOOK})
    given = {"book": {"name": BOOK, "title": "New"}, "update_mask": "nothing.here"}
    assert ask("UpdateBook", given) == before


def test_a_list_names_its_items_by_their_pattern_and_says_how_many_there_are(ask):
    page = ask("ListBooks", {})
    assert [each["name"] for each in page["books"]] == [
        f"shelves/shelf-1/books/book-{number + 1}" for number in range(PAGE)
    ]
    assert page["books"][2] == ask("ReadBook", {"name": page["books"][2]["name"]})
    last = ask("ListBooks", {"page_token": ask("ListBooks", page_of(page))["next_page_token"]})
    assert "next_page_token" not in last
    assert 2 * PAGE + len(last["books"]) == last["total_size"] == page["total_size"]


def page_of(page):
    return {"page_token": page["next_page_token"]}


def test_filters_hold_for_all_items(ask):
    page = ask("ListBooks", {"title": "X", "page_size": 3})
    assert {each["title"] for each in page["books"]} == {"X"}
    assert len(page["books"]) == 3


def test_no_list_is_longer_than_a_hundred(ask):
    assert len(ask("ListBooks", {"page_size": 2**31 - 1})["books"]) == 100


def test_a_cursor_ends_too(ask):
    first = ask("ListNotes", {"limit": 2})
    second = ask("ListNotes", {"limit": 2, "cursor": first["next_cursor"]})
    third = ask("ListNotes", {"limit": 2, "cursor": second["next_cursor"]})
    assert [each.get("has_more", False) for each in (first, second, third)] == [True, True, False]
    assert "next_cursor" not in third


@pytest.mark.parametrize("token", ["x", "====", "ä", "cGFnZS0"])
def test_a_token_that_no_answer_had_is_refused(ask, token):
    with pytest.raises(RpcError) as refusal:
        ask("ListBooks", {"page_token": token})
    assert refusal.value.status.code.name == "INVALID_ARGUMENT"


def test_keys_are_answered_in_their_order_once_each(ask):
    answer = ask("BatchGetAuthors", {"ids": [5, 3, 5]})
    assert [each["id"] for each in answer["authors"]] == ["5", "3"]
    assert answer["count"] == 2
    assert ask("BatchGetAuthors", {"ids": [3]})["authors"] == answer["authors"][1:]
    assert ask("MapAuthors", {"ids": [4, 6]})["authors"].keys() == {"4", "6"}


def test_what_a_request_gives_comes_back(ask):
    assert ask("Echo", {"title": "T"}) == {"title": "T"}
    assert ask("Delete", {"name": "x"}) == {}


def test_a_stream_of_requests_is_counted(ask):
    assert ask("BatchGetAuthors", {}, received=4)["count"] == 4


def test_more_keys_at_once_than_anybody_needs_are_refused(ask):
    with pytest.raises(RpcError) as refused:
        ask("BatchGetAuthors", {"ids": [*range(1, 10_002)]})
    assert refused.value.status.code.name == "INVALID_ARGUMENT"
