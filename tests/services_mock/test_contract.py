"""The example API says what it is, and has each feature that a gateway must cope with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from google.api import annotations_pb2, field_behavior_pb2
from google.protobuf import descriptor_pb2

from services_mock.contract import compile_protos, contract

Field = descriptor_pb2.FieldDescriptorProto
Options = descriptor_pb2.MethodOptions

FILES = {file.name: file for file in compile_protos().file if file.name.startswith("shop/")}
SERVICES = {
    f"{file.package}.{service.name}": service for file in FILES.values() for service in file.service
}


def all_messages(file) -> Iterator[tuple[str, descriptor_pb2.DescriptorProto]]:
    waiting = [(f".{file.package}.{message.name}", message) for message in file.message_type]
    while waiting:
        name, message = waiting.pop()
        yield name, message
        waiting += [(f"{name}.{nested.name}", nested) for nested in message.nested_type]


MESSAGES = dict(pair for file in FILES.values() for pair in all_messages(file))
METHODS = [method for service in SERVICES.values() for method in service.method]
FIELDS = [field for message in MESSAGES.values() for field in message.field]


def bindings_of(method) -> list:
    if not method.options.HasExtension(annotations_pb2.http):
        return []
    rule = method.options.Extensions[annotations_pb2.http]
    return [rule, *rule.additional_bindings]


RULES = [(method, rule) for method in METHODS for rule in bindings_of(method)]


def pattern(rule) -> tuple[str, str]:
    kind = rule.WhichOneof("pattern")
    if kind == "custom":
        return rule.custom.kind, rule.custom.path
    return kind.upper(), getattr(rule, kind)


def field_of(message: str, name: str):
    return next(field for field in MESSAGES[message].field if field.name == name)


def is_map(field) -> bool:
    return field.type_name in MESSAGES and MESSAGES[field.type_name].options.map_entry


def fields_by_query(method, rule) -> list:
    """The top-level fields that a rule leaves to the query."""
    _, path = pattern(rule)
    taken = {name.partition(".")[0] for name in re.findall(r"{([a-z_.]+)", path)} | {rule.body}
    if rule.body == "*" or method.input_type not in MESSAGES:
        return []
    return [field for field in MESSAGES[method.input_type].field if field.name not in taken]


QUERY_FIELDS = [field for method, rule in RULES for field in fields_by_query(method, rule)]
QUERY_TYPES = {field.type_name for field in QUERY_FIELDS}
SCALARS = [
    name
    for name, _ in Field.Type.items()
    if name not in ("TYPE_MESSAGE", "TYPE_GROUP", "TYPE_ENUM")
]
WRAPPERS = ["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"]
HTTP_BODY = ".google.api.HttpBody"


def test_seven_services():
    assert set(SERVICES) == {
        "shop.catalog.v1.CatalogService",
        "shop.inventory.v1.InventoryService",
        "shop.orders.v1.OrderService",
        "shop.users.v1.UserService",
        "shop.reviews.v1.ReviewService",
        "shop.chat.v1.ChatService",
        "shop.media.v1.MediaService",
    }
    assert set(contract().services) == set(SERVICES)


def elements(file) -> Iterator[tuple[tuple[int, ...], str]]:
    """Every element that documentation is made of: its path in the file, and its name."""

    def message(path, name, proto):
        yield path, name
        for index, field in enumerate(proto.field):
            yield (*path, 2, index), f"{name}.{field.name}"
        synthetic = {field.oneof_index for field in proto.field if field.proto3_optional}
        for index, oneof in enumerate(proto.oneof_decl):
            if index not in synthetic:
                yield (*path, 8, index), f"{name}.{oneof.name}"
        for index, nested in enumerate(proto.nested_type):
            if not nested.options.map_entry:
                yield from message((*path, 3, index), f"{name}.{nested.name}", nested)

    for index, proto in enumerate(file.message_type):
        yield from message((4, index), proto.name, proto)
    for index, enum in enumerate(file.enum_type):
        yield (5, index), enum.name
        for place, value in enumerate(enum.value):
            yield (5, index, 2, place), value.name
    for index, service in enumerate(file.service):
        yield (6, index), service.name
        for place, method in enumerate(service.method):
            yield (6, index, 2, place), f"{service.name}.{method.name}"
    yield (12,), "the file"


@pytest.mark.parametrize("name", FILES)
def test_everything_has_a_comment(name):
    comments = {
        tuple(place.path): place.leading_comments for place in FILES[name].source_code_info.location
    }
    bare = [what for path, what in elements(FILES[name]) if not comments.get(path, "").strip()]
    assert bare == []


def shape(path: str) -> str:
    """A template with its variables' names taken away."""
    path = re.sub(r"{[a-z_.]+=([^}]*)}", r"\1", path)
    return re.sub(r"{[a-z_.]+}", "*", path)


def test_no_two_bindings_match_the_same_requests():
    shapes = Counter((kind, shape(path)) for kind, path in (pattern(rule) for _, rule in RULES))
    assert [key for key, times in shapes.items() if times > 1] == []
    any_kind = {path for kind, path in shapes if kind == "*"}
    assert [key for key in shapes if key[0] != "*" and key[1] in any_kind] == []


@pytest.mark.parametrize("kind", ["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE", "*"])
def test_http_method(kind):
    assert any(pattern(rule)[0] == kind for _, rule in RULES)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(r"/{id}$", id="single-segment variable"),
        pytest.param(r"{name=shelves/\*/products/\*}", id="multi-segment variable of known length"),
        pytest.param(r"{path=\*\*}$", id="multi-segment variable of any length"),
        pytest.param(r"{name=categories/\*\*}", id="literal, then any length, in one variable"),
        pytest.param(r"{path=\*\*}:download$", id="verb after any length"),
        pytest.param(r"{name=products/\*/reviews/\*}/thread$", id="literal after a variable"),
        pytest.param(r"{product\.id}", id="variable of a nested field"),
        pytest.param(r"{review\.name=products/\*/reviews/\*}", id="nested field, multi-segment"),
        pytest.param(r"{id}:cancel$", id="verb after a variable"),
        pytest.param(r"/products:batchGet$", id="verb after a literal"),
        pytest.param(r"{user_id}/orders/{id}", id="two variables"),
    ],
)
def test_path_template(part):
    assert any(re.search(part, pattern(rule)[1]) for _, rule in RULES)


def test_additional_bindings():
    assert any(len(bindings_of(method)) == 2 for method in METHODS)
    assert any(len(bindings_of(method)) == 3 for method in METHODS)


def bodies(attribute: str) -> list:
    """The fields that the rules' `body` or `response_body` name."""
    side = "input_type" if attribute == "body" else "output_type"
    return [
        field_of(getattr(method, side), getattr(rule, attribute))
        for method, rule in RULES
        if getattr(rule, attribute) not in ("", "*")
    ]


FORMS = {
    "message": lambda field: field.type_name in MESSAGES and field.label != Field.LABEL_REPEATED,
    "scalar": lambda field: not field.type_name and field.label != Field.LABEL_REPEATED,
    "repeated scalar": lambda field: not field.type_name and field.label == Field.LABEL_REPEATED,
    "repeated message": lambda field: (
        field.type_name and field.label == Field.LABEL_REPEATED and not is_map(field)
    ),
    "map": is_map,
    "HttpBody": lambda field: field.type_name == HTTP_BODY,
}


@pytest.mark.parametrize("form", ["message", "scalar", "repeated scalar", "map", "HttpBody"])
def test_body_is_a_field(form):
    assert any(FORMS[form](field) for field in bodies("body"))


@pytest.mark.parametrize(
    "form", ["message", "repeated scalar", "repeated message", "map", "HttpBody"]
)
def test_response_body_is_a_field(form):
    assert any(FORMS[form](field) for field in bodies("response_body"))


def test_body_is_the_whole_request():
    assert any(rule.body == "*" for _, rule in RULES)


def test_no_body_where_the_http_method_has_one():
    assert any(rule.post and not rule.body for _, rule in RULES)


def test_patch_has_a_field_mask():
    for method, rule in RULES:
        if rule.patch:
            assert (
                field_of(method.input_type, "update_mask").type_name == ".google.protobuf.FieldMask"
            )


@pytest.mark.parametrize("scalar", SCALARS)
def test_query_has_scalar(scalar):
    assert any(
        field.type == Field.Type.Value(scalar) and field.label != Field.LABEL_REPEATED
        for field in QUERY_FIELDS
    )


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_query_has_wrapper(wrapper):
    assert f".google.protobuf.{wrapper}Value" in QUERY_TYPES


@pytest.mark.parametrize("name", ["Timestamp", "Duration", "FieldMask", "Struct", "Value"])
def test_query_has_well_known_type(name):
    assert f".google.protobuf.{name}" in QUERY_TYPES


@pytest.mark.parametrize(
    "holds",
    [
        pytest.param(lambda field: field.type == Field.TYPE_ENUM, id="enum"),
        pytest.param(
            lambda field: field.type == Field.TYPE_ENUM and field.label == Field.LABEL_REPEATED,
            id="repeated enum",
        ),
        pytest.param(
            lambda field: field.type == Field.TYPE_STRING and field.label == Field.LABEL_REPEATED,
            id="repeated string",
        ),
        pytest.param(
            lambda field: field.type == Field.TYPE_INT64 and field.label == Field.LABEL_REPEATED,
            id="repeated int64",
        ),
        pytest.param(
            lambda field: field.type_name == ".shop.catalog.v1.PriceRange", id="nested message"
        ),
        pytest.param(lambda field: field.type_name == ".shop.catalog.v1.Region", id="recursive"),
        pytest.param(is_map, id="map"),
        pytest.param(lambda field: field.proto3_optional, id="optional"),
        pytest.param(
            lambda field: field.HasField("oneof_index") and not field.proto3_optional, id="oneof"
        ),
    ],
)
def test_query_has_field(holds):
    assert any(holds(field) for field in QUERY_FIELDS)


@pytest.mark.parametrize(
    ("client", "server"),
    [
        pytest.param(False, False, id="unary"),
        pytest.param(False, True, id="server streaming"),
        pytest.param(True, False, id="client streaming"),
        pytest.param(True, True, id="bidirectional"),
    ],
)
def test_kind_of_method_with_a_rule(client, server):
    assert any(
        method.client_streaming == client and method.server_streaming == server
        for method, _ in RULES
    )


def carries_http_body(method, side: str) -> bool:
    type_name = getattr(method, side)
    fields = MESSAGES[type_name].field if type_name in MESSAGES else []
    return type_name == HTTP_BODY or any(field.type_name == HTTP_BODY for field in fields)


@pytest.mark.parametrize("streamed", [False, True], ids=["unary", "streamed"])
@pytest.mark.parametrize("nested", [False, True], ids=["the message itself", "a field"])
def test_upload(streamed, nested):
    assert any(
        carries_http_body(method, "input_type")
        and method.client_streaming == streamed
        and (method.input_type != HTTP_BODY) == nested
        for method, _ in RULES
    )


@pytest.mark.parametrize("streamed", [False, True], ids=["unary", "streamed"])
def test_download(streamed):
    assert any(
        method.output_type == HTTP_BODY and method.server_streaming == streamed
        for method, _ in RULES
    )


@pytest.mark.parametrize(
    "holds",
    [
        pytest.param(lambda field: field.type_name == ".google.protobuf.Any", id="Any"),
        pytest.param(lambda field: field.type_name == ".google.protobuf.Struct", id="Struct"),
        pytest.param(lambda field: field.type_name == ".google.type.Money", id="Money"),
        pytest.param(lambda field: field.type == Field.TYPE_BYTES, id="bytes"),
        pytest.param(lambda field: field.options.deprecated, id="deprecated"),
        pytest.param(lambda field: field.json_name == "sku", id="json_name of its own"),
        pytest.param(
            lambda field: (
                field_behavior_pb2.REQUIRED
                in field.options.Extensions[field_behavior_pb2.field_behavior]
            ),
            id="REQUIRED",
        ),
        pytest.param(
            lambda field: (
                field_behavior_pb2.OUTPUT_ONLY
                in field.options.Extensions[field_behavior_pb2.field_behavior]
            ),
            id="OUTPUT_ONLY",
        ),
    ],
)
def test_some_field_is(holds):
    assert any(holds(field) for field in FIELDS)


@pytest.mark.parametrize(
    "key", ["TYPE_STRING", "TYPE_INT32", "TYPE_UINT32", "TYPE_UINT64", "TYPE_BOOL"]
)
def test_map_key(key):
    keys = {message.field[0].type for message in MESSAGES.values() if message.options.map_entry}
    assert Field.Type.Value(key) in keys


def test_map_of_messages():
    assert any(
        message.options.map_entry and message.field[1].type == Field.TYPE_MESSAGE
        for message in MESSAGES.values()
    )


@pytest.mark.parametrize(
    "name",
    [".shop.catalog.v1.Category", ".shop.reviews.v1.Comment", ".shop.catalog.v1.Region"],
)
def test_recursive_message(name):
    assert any(field.type_name == name for field in MESSAGES[name].field)


def test_empty_messages():
    assert not MESSAGES[".shop.users.v1.SignOutRequest"].field
    assert any(method.output_type == ".google.protobuf.Empty" for method in METHODS)
    assert any(method.input_type == ".google.protobuf.Empty" for method in METHODS)


def test_enum_alias():
    assert any(enum.options.allow_alias for file in FILES.values() for enum in file.enum_type)


def test_enums_start_with_unspecified():
    for file in FILES.values():
        for enum in file.enum_type:
            assert enum.value[0].name.endswith("_UNSPECIFIED")


def test_deprecated_method():
    assert any(method.options.deprecated for method in METHODS)


@pytest.mark.parametrize("level", ["IDEMPOTENCY_UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT"])
def test_idempotency_level(level):
    assert any(
        method.options.idempotency_level == Options.IdempotencyLevel.Value(level)
        for method in METHODS
    )


def test_get_rules_have_no_side_effects_but_to_join_a_room():
    have = {
        method.name
        for method, rule in RULES
        if rule.get and method.options.idempotency_level != Options.NO_SIDE_EFFECTS
    }
    assert have == {"Join"}


def test_methods_without_a_rule():
    assert {method.name for method in METHODS if not bindings_of(method)} == {
        "ReindexCatalog",
        "ReserveStock",
        "WhoAmI",
    }


@pytest.mark.parametrize(
    ("method", "keys", "items", "item_key"),
    [
        ("shop.catalog.v1.CatalogService/BatchGetProducts", "ids", "products", "id"),
        ("shop.inventory.v1.InventoryService/BatchGetStock", "product_ids", "stocks", "product_id"),
        ("shop.orders.v1.OrderService/BatchGetOrders", "ids", "orders", "id"),
        ("shop.orders.v1.OrderService/ListOrdersByUsers", "user_ids", "orders", "user_id"),
        ("shop.users.v1.UserService/BatchGetUsers", "ids", "users", "id"),
        (
            "shop.reviews.v1.ReviewService/BatchGetReviewSummaries",
            "product_ids",
            "summaries",
            "product_id",
        ),
        (
            "shop.reviews.v1.ReviewService/ListReviewsByProducts",
            "product_ids",
            "reviews",
            "product_id",
        ),
    ],
)
def test_batches_carry_their_keys(method, keys, items, item_key):
    service, _, name = method.partition("/")
    proto = next(each for each in SERVICES[service].method if each.name == name)
    assert field_of(proto.input_type, keys).label == Field.LABEL_REPEATED
    item_type = field_of(proto.output_type, items).type_name
    assert field_of(item_type, item_key).type == Field.TYPE_STRING
