"""The JSON Schema: valid, in agreement with the loader."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.config import Config, json_schema
from gateway.config.structure import all_keys

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_it_is_valid_and_json():
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_it_has_every_key_and_no_other(schema_keys):
    keys = {tuple(part for part in path if part != "*") for path, _ in all_keys(Config)}
    keys = {path for path in keys if "additional_bindings" not in path[:-1]}
    within = {  # not keys of a section
        ("rest", "unknown_query", "ignore"),
        ("auth", "providers", "introspection", "client_secret", "file"),
        ("admin", "token", "file"),
    }
    assert schema_keys.keys() == keys | within


def test_every_section_is_closed_and_described():
    for schema in (SCHEMA, *SCHEMA["$defs"].values()):
        if "properties" in schema:
            assert schema["additionalProperties"] is False
            assert schema["description"]


def test_a_default_is_of_its_own_schema(schema_keys):
    with_default = {path: schema for path, schema in schema_keys.items() if "default" in schema}
    assert len(with_default) > 30
    for schema in with_default.values():
        Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]}).validate(schema["default"])


GOOD = """
listener: {address: ["${HOST:-h}:80", "unix:/s"], limits: {connections: "${N}", body_size: 4MiB, stream_size: 0}}
workers: ${W}
admin: false
graphql: false
upstreams:
  a: {services: [x.*], endpoints: [h:1, {address: h:2}], timeout: 1.5s}
rest: {unknown_query: {ignore: ["utm_*"]}, prefix: /api, openapi: false}
websocket: {resume: 30s, origins: ["*"], limits: {opens: 100/m}}
schema: {http_rules: [{selector: a.B.C, get: /a, additional_bindings: [{put: /b, body: "*"}]}]}
"""


def test_it_takes_what_the_loader_takes(read):
    read(GOOD, environ={"N": "5", "W": "1"})
    VALIDATOR.validate(yaml.safe_load(GOOD))


@pytest.mark.parametrize(
    "text",
    [
        "lisener: {}",
        "telemetry: {tracing: {}}",
        "auth: {providers: {a: {}}}",
        "auth: {providers: {a: {mtls: {}, basic: {}}}}",
        "auth: {forward: {subject: 'a b'}}",
        "policies: [{methods: []}]",
        "policies: [{authenticate: none}]",
        "policies: [{methods: ['*'], authenticate: []}]",
        "policies: [{methods: ['*'], timeout: 5}]",
        "policies: [{methods: ['*'], concurrency: 0}]",
        "policies: [{methods: ['*'], priority: urgent}]",
        "policies: [{methods: ['*'], faults: {percent: 101}}]",
        "adaptive_concurrency: {priority_header: 'x y'}",
        "pages: {authenticate: []}",
        "graphql: {extensions: [a]}",
        "graphql: {limits: {depth: 101}}",
        "graphql: {lookups: [{keys: ids}]}",
        "graphql: {methods: {Get: {hide: true}}}",
        "workers: -1",
        "workers: 1025",
        "upstreams: {a: {services: [x]}}",
        "upstreams: {a: {services: [x], endpoints: []}}",
        "upstreams: {a: {services: [x], endpoints: [a]}}",
        "upstreams: {a: {services: [x], endpoints: ['http://a:1']}}",
        "upstreams: {a: {services: [x], endpoints: [{address: a}]}}",
        "upstreams: {a: {services: ['*'], endpoints: [h:1], retries: {attempts: 0}}}",
        "upstreams: {a: {services: ['*'], resolver: {dns: orders}}}",
        "upstreams: {a: {services: ['*'], resolver: {dns: '_grpc._tcp.orders:1'}}}",
        "upstreams: {a: {services: ['*'], resolver: {dns: 'h:1', nameservers: [dns.example]}}}",
        "upstreams: {a b: {services: ['*'], endpoints: [h:1]}}",
        "upstreams: {a: {services: ['*'], endpoints: [h:1], timeout: 5}}",
        "listener: {address: 8080}",
        "listener: {limits: {body_size: 4MB}}",
        "rest: {json: {unknown_fields: drop}}",
        "rest: {etag: 'yes'}",
        "rest: ~",
        "websocket: true",
        "websocket: 0",
        "websocket: {path: /ws/}",
        "websocket: {subprotocols: []}",
        "websocket: {limits: {opens: 0/s}}",
        "websocket: {limits: {messages: 00/m}}",
        "websocket: {permessage_deflate: 1}",
    ],
)
def test_it_refuses_what_the_loader_refuses(problems, text):
    assert problems(text)
    assert not VALIDATOR.is_valid(yaml.safe_load(text))
