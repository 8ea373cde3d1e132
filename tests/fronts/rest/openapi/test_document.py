"""Paths and operations of a proto that is hard to describe."""

import json

import pytest
from openapi_spec_validator import validate

from gateway.fronts.rest.openapi.operations import Facts
from tests.fronts.rest.openapi.describing import described, operations

DOCUMENT = described()
OPERATIONS = operations(DOCUMENT)


def named(name):
    return OPERATIONS[f"nasty.v1.Things.{name}"]


def parameters(name):
    return {each["name"]: each for each in named(name).get("parameters", ())}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"emit_defaults": True},
        {"enums_as_numbers": True},
        {"proto_names": True},
        {"ignore_unknown_fields": True},
    ],
    ids=lambda each: next(iter(each), "defaults"),
)
def test_it_is_valid_whatever_the_json(options):
    validate(described(**options))


def test_it_is_json():
    json.dumps(DOCUMENT, allow_nan=False)


def test_it_is_the_same_each_time():
    assert described() == DOCUMENT


def test_every_binding_has_an_operation_of_its_own():
    assert set(OPERATIONS) == {
        f"nasty.v1.Things.{each}"
        for each in (
            *(
                "Get",
                "Get.2",
                "Get.3",
                "Put",
                "Deep",
                "Shallow",
                "Upload",
                "Watch",
                "Talk",
                "Change",
                "Change.2",
            ),
            *("Download", "Any.get", "Any.put", "Any.post", "Any.delete", "Any.patch"),
        )
    }


def test_templates_that_match_alike_are_one_path():
    item = DOCUMENT["paths"]["/v1/things/{id}"]
    assert {"get", "put"} <= set(item)
    assert next(each["name"] for each in item["put"]["parameters"]) == "id"


def test_a_multi_segment_variable_is_a_parameter_a_segment():
    found = DOCUMENT["paths"]["/v1/shelves/{shelves}/things/{things}"]["get"]["parameters"]
    assert [each["name"] for each in found if each["in"] == "path"] == ["shelves", "things"]
    assert "`shelves/*/things/*`" in found[0]["description"]


def test_a_custom_kind_is_an_extension():
    item = DOCUMENT["paths"]["/v1/things/{id}"]
    assert set(item["x-additional-operations"]) == {"PURGE /v1/things/{id}"}


def test_one_segment_comes_before_many():
    item = DOCUMENT["paths"]["/v1/deep/{id}"]
    assert item["get"]["operationId"].endswith("Shallow")
    assert set(item["x-additional-operations"]) == {"GET /v1/{id=deep/**}"}


def test_a_prefix_is_part_of_paths():
    assert "/api/v1/raw" in described("/api")["paths"]


def test_an_unannotated_method_has_its_path():
    assert "post" in DOCUMENT["paths"]["/nasty.v1.Things/Talk"]


def test_comments_are_summaries_and_tags():
    assert named("Get")["summary"] == "Gets a thing"
    assert named("Get")["description"] == "`NOT_FOUND` where there is none."
    assert DOCUMENT["tags"] == [{"name": "nasty.v1.Things", "description": "Keeps things."}]


def test_what_a_comment_deprecates_is_deprecated():
    assert named("Any.get")["deprecated"] is True
    assert "deprecated" not in named("Get")


def test_query_parameters_are_paths_of_fields():
    found = parameters("Watch")
    assert set(found) == {
        *("id", "filter.atLeast", "sizes", "colors", "where", "readMask", "flag", "since"),
    }
    assert found["filter.atLeast"]["schema"]["format"] == "int64"
    # What may be left out as a whole need not be there.
    assert "required" not in found["filter.atLeast"]
    assert found["flag"]["deprecated"] is True
    assert found["id"]["schema"]["examples"] == ["t1"]


def test_a_map_is_a_deep_object_and_a_struct_is_json():
    found = parameters("Watch")
    assert (found["sizes"]["style"], found["sizes"]["explode"]) == ("deepObject", True)
    assert found["where"]["content"]["application/json"]["schema"]["type"] == "object"
    assert "schema" not in found["where"]


def test_what_the_path_or_the_body_binds_is_no_query_parameter():
    assert {name: each["in"] for name, each in parameters("Put").items()} == {
        "id": "path",
        "force": "query",
    }


def test_a_body_lacks_what_the_path_binds():
    body = named("Put")["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert body["required"] is True
    assert "id" not in schema["properties"]
    assert "name" in schema["required"]


def test_what_a_mask_is_about_has_what_changes():
    body = named("Change")["requestBody"]["content"]["application/json"]["schema"]
    assert body["$ref"] == "#/components/schemas/nasty.v1.Masked-Change"
    schemas = DOCUMENT["components"]["schemas"]
    change, whole = schemas["nasty.v1.Masked-Change"], schemas["nasty.v1.Masked-Input"]
    assert whole["required"] == ["title", "checked"]
    assert change["required"] == ["checked"], "who checks rules knows of no mask"
    assert change["properties"] == whole["properties"]
    assert schemas["nasty.v1.ChangeThing"]["properties"]["masked"]["$ref"] == body["$ref"]


def test_streams_say_their_items():
    content = named("Watch")["responses"]["200"]["content"]
    thing = {"$ref": "#/components/schemas/nasty.v1.Thing"}
    assert list(content) == ["application/x-ndjson", "text/event-stream", "application/json"]
    assert content["application/json"]["schema"] == {"type": "array", "items": thing}
    assert thing in content["application/x-ndjson"]["schema"]["items"]["anyOf"]
    asked = named("Talk")["requestBody"]["content"]
    assert list(asked) == ["application/json", "application/x-ndjson"]
    assert asked["application/json"]["schema"]["items"] == {
        "$ref": "#/components/schemas/nasty.v1.Thing-Input"
    }


def test_an_http_body_is_of_any_type():
    binary = {"schema": {"type": "string", "format": "binary"}}
    assert named("Upload")["requestBody"]["content"] == {
        "application/octet-stream": binary,  # for clients that know no range of types
        "*/*": binary,
    }
    assert named("Download")["responses"]["200"]["content"] == {"*/*": binary}


def test_a_response_body_is_that_field():
    content = named("Any.get")["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"type": "string"}


def test_errors_are_one_component():
    error = DOCUMENT["components"]["responses"]["Error"]["content"]["application/json"]
    assert error["schema"] == {"$ref": "#/components/schemas/Gateway-Error"}
    assert {"400", "404", "503", "504", "default"} <= set(named("Get")["responses"])
    assert not {"401", "403", "429"} & set(named("Get")["responses"])


def test_policies_add_what_clients_are_told():
    facts = Facts(
        security=({"customers": ("read",)}, {}),
        guarded=True,
        limited=True,
        tagged=True,
        cached=True,
        ending=True,
    )
    schemes = {"customers": {"type": "http", "scheme": "bearer"}}
    made = described(facts={"nasty.v1.Things/Get": facts}, schemes=schemes)
    validate(made)
    get = operations(made)["nasty.v1.Things.Get"]
    assert get["security"] == [{"customers": ("read",)}, {}]
    assert {"304", "401", "403", "429"} <= set(get["responses"])
    assert set(get["responses"]["200"]["headers"]) == {
        *("x-request-id", "ratelimit", "ratelimit-policy", "etag", "age"),
        *("deprecation", "sunset", "link"),
    }
    assert "security" not in operations(made)["nasty.v1.Things.Watch"]
