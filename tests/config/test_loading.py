"""Config files with mistakes, and the exact lines that are printed; defaults; places."""

import os

import pytest

from gateway.config import (
    Config,
    ConfigError,
    TcpAddress,
    UnixAddress,
    from_mapping,
    load,
)
from gateway.config.structure import keys_of

UPSTREAM = "upstreams: {a: {services: ['*'], endpoints: [h:1]}}\n"
AT = "gateway.yaml:"


def test_five_mistakes_are_five_lines(problems):
    text = """
        listener:
          adress: 127.0.0.1:8080
          limits: {body_size: 4MB}
        upstreams:
          catalog:
            services: [shop.*]
            endpoints: [127.0.0.1:99999]
            timeout: 5
        schema: {protos: [nope]}
    """
    assert problems(text) == [
        'gateway.yaml:2:3: listener.adress: unknown key; did you mean "address"?',
        (
            'gateway.yaml:3:23: listener.limits.body_size: found "4MB", '
            "expected a size such as 64KiB, 4MiB or a number of bytes"
        ),
        (
            'gateway.yaml:7:17: upstreams.catalog.endpoints.0: found "127.0.0.1:99999", '
            "expected a port from 0 to 65535"
        ),
        (
            "gateway.yaml:8:14: upstreams.catalog.timeout: found the number 5, "
            "expected a duration such as 250ms, 2s, 1m or 1h"
        ),
        f"gateway.yaml:9:19: schema.protos.0: no such folder: {os.getcwd()}/nope",  # noqa: PTH109
    ]


BUILT = [name for name, key in keys_of(Config).items() if not key.refused]
_ASKED = "auth: {providers: {t: {introspection: {endpoint:"
_NO_USER = "expected a URL with http:// or https:// that has no user and no password: "

WRONG = [
    # unknown keys
    ("lisener: {}", '1:1: lisener: unknown key; did you mean "listener"?'),
    (
        "body_size: 1",
        '1:1: body_size: unknown key; did you mean "listener.limits.body_size"?',
    ),
    (
        "zzz: hunter2",
        (
            "1:1: zzz: unknown key; expected one of listener, workers, admin, schema, upstreams, zone, "
            "auth, policies, plans, adaptive_concurrency, limits, cache, usage, addresses, hosts, "
            "rest, graphql, websocket, headers, state, state_timeout, telemetry, reload, pages"
        ),
    ),
    ("polices: []", '1:1: polices: unknown key; did you mean "policies"?'),
    ("telemetry: {traceing: {}}", '1:13: telemetry.traceing: unknown key; did you mean "tracing"?'),
    (
        "rest: {<<: {etag: true}}",
        (
            '1:8: rest."<<": merge keys are not supported; repeat the keys, or use an alias as a whole '
            "value"
        ),
    ),
    ('"a b": 1', None),
    ('"a.\\u202e\\n": 1', None),
    # required
    ("telemetry: {tracing: {}}", "1:13: telemetry.tracing.otlp: a required key is missing"),
    (
        'listener: {cors: {origins: ["*"], credentials: true}}',
        (
            "1:29: listener.cors.origins.0: goes with credentials: false only;"
            " name the origins that may act as the user"
        ),
    ),
    (
        "listener: {cors: {origins: ['null']}}",
        (
            '1:29: listener.cors.origins.0: found "null", expected an origin such as'
            " https://app.example, https://*.app.example for all below it, or *"
        ),
    ),
    (
        "listener: {compression: [gzip, gzip]}",
        "1:32: listener.compression.1: given twice; first at listener.compression.0 (gateway.yaml:1:26)",
    ),
    (
        "state: http://u:hunter2@h",
        "1:8: state: found a text, expected memory, or redis://host:6379/0",
    ),
    # URLs that are fetched: credentials have keys of their own, and no error repeats them
    *(
        (
            f"{_ASKED} '{url}', client_id: gw, client_secret: x}}}}}}}}",
            (
                f'1:50: auth.providers.t.introspection.endpoint: found "{shown}", {_NO_USER}'
                "client_id and client_secret are what is shown there"
            ),
        )
        for url, shown in (
            ("http://gw:hunter2@id.example/introspect", "http://***@id.example/introspect"),
            ("https://hunter2@id.example?a=hunter2", "https://***@id.example?a=***"),
            ("http://@id.example", "http://***@id.example"),
            ("ftp://gw:hunter2@id.example", "ftp://***@id.example"),
        )
    ),
    ("state: redis://", "1:8: state: found a text, expected memory, or redis://host:6379/0"),
    # numbers in order
    (
        "adaptive_concurrency: {max: 9, min: 10}",
        "1:32: adaptive_concurrency.min: found more than max",
    ),
    (
        "adaptive_concurrency: {min: 1001}",
        "1:24: adaptive_concurrency.min: found more than max, which is 1000 by default",
    ),
    (
        "cache: {size: 1MiB, entry_size: 2MiB}",
        "1:21: cache.entry_size: found more than size",
    ),
    (
        "cache: {entry_size: 200000000}",
        "1:9: cache.entry_size: found more than size, which is 64MiB by default",
    ),
    (
        "cache: {size: 512KiB}",
        "1:9: cache.size: found less than entry_size, which is 1MiB by default",
    ),
    (
        "adaptive_concurrency: {max: 7}",
        "1:24: adaptive_concurrency.max: found less than min, which is 8 by default",
    ),
    # wrong types
    ("[]", "1:1: found a list, expected a mapping (key: value)"),
    ("x", '1:1: found "x", expected a mapping (key: value)'),
    ("listener: 4", "1:11: listener: found the number 4, expected a mapping (key: value)"),
    ("upstreams: []", "1:12: upstreams: found a list, expected a mapping (name: value)"),
    ("upstreams: {a: x}", '1:16: upstreams.a: found "x", expected a mapping (key: value)'),
    ("schema: {expose: a.*}", '1:18: schema.expose: found "a.*", expected a list'),
    ("schema: {expose: [~]}", None),
    (
        "rest:",
        (
            "1:1: rest: found nothing after the colon, expected a value; "
            "without the key it has its default"
        ),
    ),
    ("rest: {etag: yes}", '1:14: rest.etag: found "yes", expected true or false'),
    ("rest: {etag: 1}", "1:14: rest.etag: found the number 1, expected true or false"),
    ("rest: {etag: {}}", "1:14: rest.etag: found a mapping, expected true or false"),
    ("rest: true", "1:7: rest: found true, expected a mapping (key: value)"),
    ("usage: true", "1:8: usage: found true, expected a mapping such as {enabled: true}"),
    ("usage: false", "1:8: usage: found false, expected a mapping such as {enabled: false}"),
    (
        "listener: {limits: {unauthenticated: 1.5/w}}",
        (
            '1:38: listener.limits.unauthenticated: found "1.5/w", expected a rate such as 100/s or '
            "6000/m (a whole number with /s, /m, /h or /d)"
        ),
    ),
    ("cache: true", "1:8: cache: found true, expected a mapping such as {size: 64MiB}"),
    (
        "policies: [{methods: ['*'], cache: true}]",
        "1:36: policies.0.cache: found true, expected a mapping such as {ttl: 1m}",
    ),
    ("websocket: true", "1:12: websocket: found true, expected a mapping (key: value)"),
    ("websocket: 0", "1:12: websocket: found the number 0, expected a mapping (key: value)"),
    (
        "listener: {limits: {connections: '5'}}",
        (
            '1:34: listener.limits.connections: found "5", '
            "expected a whole number from 1 to 9007199254740992"
        ),
    ),
    (
        "listener: {limits: {connections: true}}",
        (
            "1:34: listener.limits.connections: found true, "
            "expected a whole number from 1 to 9007199254740992"
        ),
    ),
    (
        "listener: {limits: {json_depth: 1.5}}",
        (
            "1:33: listener.limits.json_depth: found the number 1.5, "
            "expected a whole number from 1 to 100"
        ),
    ),
    # values
    (
        "listener: {limits: {body_size: -1}}",
        (
            "1:32: listener.limits.body_size: found the number -1, "
            "expected a size such as 64KiB, 4MiB or a number of bytes"
        ),
    ),
    (
        "listener: {limits: {header_size: 2MiB}}",
        '1:34: listener.limits.header_size: found "2MiB", expected a size from 1KiB to 1MiB',
    ),
    (
        "listener: {limits: {idle_timeout: 0s}}",
        '1:35: listener.limits.idle_timeout: found "0s", expected a duration longer than 0s',
    ),
    (
        "listener: {address: 8080}",
        (
            "1:21: listener.address: found the number 8080, "
            "expected host:port such as 127.0.0.1:8080, or unix:/path"
        ),
    ),
    (
        "listener: {address: [h:1, h:70000]}",
        '1:27: listener.address.1: found "h:70000", expected a port from 0 to 65535',
    ),
    (
        "listener: {address: []}",
        "1:21: listener.address: found an empty list, expected at least 1 item",
    ),
    (
        f"listener: {{address: 'unix:/{'a' * 107}'}}",
        (
            f'1:21: listener.address: found "unix:/{"a" * 53}…", '
            "expected the path of a socket in at most 107 bytes"
        ),
    ),
    (
        "listener: {trusted_proxies: [10.0.0.1/8]}",
        (
            '1:30: listener.trusted_proxies.0: found "10.0.0.1/8", '
            "expected a network whose host bits are 0, such as 10.0.0.0/8, or unix"
        ),
    ),
    (
        "listener: {trusted_proxies: [proxy]}",
        (
            '1:30: listener.trusted_proxies.0: found "proxy", '
            "expected a network such as 10.0.0.0/8, or unix"
        ),
    ),
    (
        "listener: {trusted_proxies: ['unix:/run/gw.sock']}",
        (
            '1:30: listener.trusted_proxies.0: found "unix:/run/gw.sock", '
            "expected a network such as 10.0.0.0/8, or unix"
        ),
    ),
    (
        "rest: {json: {unknown_fields: ignored}}",
        (
            '1:31: rest.json.unknown_fields: found "ignored", expected reject or ignore; '
            'did you mean "ignore"?'
        ),
    ),
    (
        "rest: {unknown_query: {ignores: [a]}}",
        '1:23: rest.unknown_query: found a mapping, expected reject, ignore or {ignore: ["utm_*"]}',
    ),
    (
        "rest: {prefix: api/}",
        (
            '1:16: rest.prefix: found "api/", '
            "expected nothing, or a path such as /api without a slash at its end"
        ),
    ),
    (
        "headers: {request: {allow: [Grpc-Timeout]}}",
        (
            '1:29: headers.request.allow.0: found "Grpc-Timeout", '
            "expected a header's name, but not the reserved grpc-*"
        ),
    ),
    (
        "headers: {request: {allow: [connection]}}",
        (
            '1:29: headers.request.allow.0: found "connection", '
            "expected a header's name, but not the reserved connection"
        ),
    ),
    (
        "schema: {http_rules: [{selector: a.B.C, get: /a, additional_bindings: [{puts: /b}]}]}",
        '1:73: schema.http_rules.0.additional_bindings.0.puts: unknown key; did you mean "put"?',
    ),
    ("retry: {}", "1:1: retry: unknown key; expected one of " + ", ".join(BUILT)),
    ("adresses: {}", '1:1: adresses: unknown key; did you mean "addresses"?'),
    (
        "upstreams: {a: {services: [x]}}",
        "1:13: upstreams.a: expected one of the keys endpoints or resolver",
    ),
    *(
        (
            f"upstreams: {{a: {{services: [x], endpoints: ['{address}']}}}}",
            (
                f'1:44: upstreams.a.endpoints.0: found "{address}", expected host:port or '
                "unix:/path; leave out the scheme"
            ),
        )
        for address in ("http://127.0.0.1:8080", "dns:///foo:80", "dns:foo:80", "grpc://h")
    ),
    (
        "schema: {http_rules: [{get: /a}]}",
        "1:23: schema.http_rules.0.selector: a required key is missing",
    ),
    # graphql
    (
        "graphql: {limits: {depth: 101}}",
        "1:27: graphql.limits.depth: found the number 101, expected a whole number from 1 to 100",
    ),
    (
        "graphql: {naming: by_package}",
        '1:19: graphql.naming: found "by_package", expected flat or by_service',
    ),
    (
        "graphql: {methods: {shop.v1.S.Get: {hide: true}}}",
        (
            '1:21: graphql.methods."shop.v1.S.Get": found "shop.v1.S.Get", expected a method such as '
            "shop.orders.v1.OrderService/GetOrder"
        ),
    ),
    (
        "graphql: {methods: {a.S/Get: {kind: subscription}}}",
        '1:37: graphql.methods."a.S/Get".kind: found "subscription", expected query or mutation',
    ),
    (
        "graphql: {fields: {a.M.f: {name: 2nd}}}",
        '1:34: graphql.fields."a.M.f".name: found "2nd", expected a GraphQL name such as getProduct',
    ),
    (
        "graphql: {lookups: [{keys: ids}]}",
        "1:21: graphql.lookups.0.method: a required key is missing",
    ),
    ("graphql: {joins: [n]}", "1:19: graphql.joins.0: no such file: {cwd}/n"),
    ("graphql: {operations: [f.txt]}", "1:24: graphql.operations.0: not a folder: {cwd}/f.txt"),
    # websocket
    (
        "websocket: {subprotocols: []}",
        "1:27: websocket.subprotocols: found an empty list, expected at least 1 item",
    ),
    (
        "websocket: {subprotocols: [grpcws.v2.json]}",
        (
            '1:28: websocket.subprotocols.0: found "grpcws.v2.json", expected grpcws.v1.json or '
            'grpcws.v1.proto; did you mean "grpcws.v1.json"?'
        ),
    ),
    (
        "websocket: {subprotocols: [grpcws.v1.json, grpcws.v1.json]}",
        (
            "1:44: websocket.subprotocols.1: given twice; "
            "first at websocket.subprotocols.0 (gateway.yaml:1:28)"
        ),
    ),
    *(
        (
            f"websocket: {{limits: {{{key}: 0/s}}}}",
            (
                f'1:{24 + len(key)}: websocket.limits.{key}: found "0/s", '
                "expected a rate of more than 0, such as 100/s"
            ),
        )
        for key in ("opens", "messages")
    ),
    (
        "websocket: {limits: {idle_timeout: 0s}}",
        ('1:36: websocket.limits.idle_timeout: found "0s", expected a duration longer than 0s'),
    ),
    (
        "websocket: {limits: {message_size: 2GiB}}",
        ('1:36: websocket.limits.message_size: found "2GiB", expected a size from 1 to 2147483647'),
    ),
    ("websocket: {path: /}", None),
    # files
    ("schema: {protos: [f.txt]}", "1:19: schema.protos.0: not a folder: {cwd}/f.txt"),
    ("schema: {descriptor_sets: [d]}", "1:28: schema.descriptor_sets.0: not a file: {cwd}/d"),
    ("schema: {descriptor_sets: [n]}", "1:28: schema.descriptor_sets.0: no such file: {cwd}/n"),
    (
        "listener: {tls: {certificate: f.txt}}",
        "1:12: listener.tls.key: a required key is missing",
    ),
    (
        "listener: {tls: {certificate: f.txt, key: f.txt, client_certificate: required}}",
        "1:50: listener.tls.client_certificate: means nothing without client_ca; set it too",
    ),
    (
        "listener: {tls: {certificate: f.txt, key: f.txt, client_ca: f.txt}}",
        "1:50: listener.tls.client_ca: means nothing without client_certificate; set it too",
    ),
    # one key against another
    (
        "listener: {address: ['127.0.0.1:1', '127.0.0.1:1']}",
        "1:37: listener.address.1: given twice; first at listener.address.0 (gateway.yaml:1:22)",
    ),
    (
        "listener: {address: '127.0.0.1:9'}\nadmin: {address: '127.0.0.1:9'}",
        "2:18: admin.address: given twice; first at listener.address (gateway.yaml:1:21)",
    ),
    (
        UPSTREAM + "schema: {reflection: [b]}",
        "2:23: schema.reflection.0: no upstream has this name; expected one of a",
    ),
    (
        "schema: {reflection: [b]}",
        "1:23: schema.reflection.0: no upstream has this name; there are no upstreams",
    ),
]


@pytest.mark.parametrize(
    "rule",
    [
        "selector: a.B.C",
        "selector: a.B.C, get: a",
        "selector: a.B.C, get: /a, put: /b",
        "selector: a.B.C, get: /a, additional_bindings: [{put: /b, additional_bindings: [{get: /c}]}]",
    ],
)
def test_what_is_wrong_with_a_rule_is_left_to_who_knows_the_methods(read, rule):
    assert read(f"schema: {{http_rules: [{{{rule}}}]}}").config.schema.http_rules


@pytest.mark.parametrize(("text", "line"), WRONG, ids=[text[:50] for text, _ in WRONG])
def test_one_mistake_is_one_line(problems, folder, text, line):
    (folder / "f.txt").touch()
    (folder / "d").mkdir()
    found = problems(text)
    assert len(found) == 1
    assert found[0].isprintable()
    assert "hunter2" not in found[0]
    if line is not None:
        assert found == [AT + line.replace("{cwd}", str(folder))]


WRONG_UPSTREAM = [
    ("endpoints: [h:1]", "1:13: upstreams.a.services: a required key is missing"),
    (
        "services: [], endpoints: [h:1]",
        "1:27: upstreams.a.services: found an empty list, expected at least 1 item",
    ),
    ("services: ['*']", "1:13: upstreams.a: expected one of the keys endpoints or resolver"),
    (
        "services: ['*'], endpoints: []",
        "1:45: upstreams.a.endpoints: found an empty list, expected at least 1 item",
    ),
    (
        "services: ['*'], endpoints: [h:0]",
        '1:46: upstreams.a.endpoints.0: found "h:0", expected a port from 1 to 65535',
    ),
    (
        "services: ['*'], endpoints: [{adress: h:1}]",
        '1:47: upstreams.a.endpoints.0.adress: unknown key; did you mean "address"?',
        "1:46: upstreams.a.endpoints.0.address: a required key is missing",
    ),
    (
        "services: ['*'], endpoints: [{address: h:1, weight: 0}]",
        "1:69: upstreams.a.endpoints.0.weight: found the number 0, expected a whole number from 1 to 1000",
    ),
    (
        "services: ['*'], endpoints: [h:1, {address: h:1}]",
        (
            "1:61: upstreams.a.endpoints.1.address: given twice; "
            "first at upstreams.a.endpoints.0 (gateway.yaml:1:46)"
        ),
    ),
    (
        "services: [x.Y, x.Y], endpoints: [h:1]",
        (
            "1:33: upstreams.a.services.1: given twice; "
            "first at upstreams.a.services.0 (gateway.yaml:1:28)"
        ),
    ),
    (
        "services: [x/y], endpoints: [h:1]",
        (
            '1:28: upstreams.a.services.0: found "x/y", expected a service\'s full name such as '
            "shop.catalog.v1.CatalogService, or a glob such as shop.*"
        ),
    ),
    (
        "services: ['*'], endpoints: [h:1], transport: grpc",
        '1:63: upstreams.a.transport: found "grpc", expected native or grpcio; did you mean "grpcio"?',
    ),
    (
        "services: ['*'], endpoints: [h:1], balancing: {policy: randon}",
        '1:72: upstreams.a.balancing.policy: found "randon", expected least_request or round_robin or random or ring_hash or maglev or pick_first; did you mean "random"?',
    ),
    (
        "services: ['*'], endpoints: [h:1], connections: 2, transport: grpcio",
        ("1:52: upstreams.a.connections: has no effect with transport: grpcio; remove one of them"),
    ),
    (
        "services: ['*'], endpoints: [h:1], retries: {attempts: 0}",
        "1:72: upstreams.a.retries.attempts: found the number 0, expected a whole number from 1 to 10",
    ),
    (
        "services: ['*'], endpoints: [h:1], resolver: {dns: h:1}",
        "1:52: upstreams.a.resolver: cannot stand beside endpoints; expected only one of them",
    ),
    *(
        (
            f"services: ['*'], resolver: {{dns: '{name}'}}",
            (
                f'1:50: upstreams.a.resolver.dns: found "{name}", expected a name with its port, '
                "such as orders:50051, or one of SRV records, such as _grpc._tcp.orders.example"
            ),
        )
        for name in ("orders", "orders:0", "unix:/run/a.sock", "dns:///orders:1")
    ),
    *(
        (
            f"services: ['*'], resolver: {{dns: '{name}'}}",
            (
                f'1:50: upstreams.a.resolver.dns: found "{name}", expected a name of SRV records '
                "without a port: _grpc._tcp.orders.example"
            ),
        )
        for name in ("_grpc._tcp.orders:50051", "_grpc._tcp", "_grpc")
    ),
    *(
        (
            f"services: ['*'], resolver: {{dns: 'h:1', nameservers: ['{name}']}}",
            (
                f'1:71: upstreams.a.resolver.nameservers.0: found "{name}", '
                "expected an IP address such as 10.0.0.10 or 127.0.0.1:8600"
            ),
        )
        for name in ("dns.example", "dns.example:53", "10.0.0.1:0", "unix:/x")
    ),
    (
        "services: ['*'], resolver: {file: f.txt, nameservers: [10.0.0.10]}",
        "1:58: upstreams.a.resolver.nameservers: means nothing without dns; set it too",
    ),
    (
        "services: ['*'], resolver: {refresh: 1s}",
        "1:34: upstreams.a.resolver: expected one of the keys dns or file",
    ),
    (
        "services: ['*'], endpoints: [h:1], tls: {key: f.txt}",
        "1:58: upstreams.a.tls.key: means nothing without certificate; set it too",
    ),
    (
        "services: ['*'], endpoints: [h:1], timeout: 0s",
        '1:61: upstreams.a.timeout: found "0s", expected a duration longer than 0s',
    ),
]


@pytest.mark.parametrize(
    ("text", "lines"),
    [(text, lines) for text, *lines in WRONG_UPSTREAM],
    ids=[text[-50:] for text, *_ in WRONG_UPSTREAM],
)
def test_a_wrong_upstream(problems, folder, text, lines):
    (folder / "f.txt").touch()
    found = problems(f"upstreams: {{a: {{{text}}}}}")
    assert sorted(found) == sorted(AT + line for line in lines)


def test_two_upstreams_of_one_service(problems):
    text = UPSTREAM[:-2] + ", b: {services: ['*'], endpoints: [h:2]}}"
    assert problems(text) == [
        (
            "gateway.yaml:1:68: upstreams.b.services.0: given twice; "
            "first at upstreams.a.services.0 (gateway.yaml:1:28)"
        )
    ]


def test_an_upstreams_name(problems):
    assert problems("upstreams: {a b: {services: ['*'], endpoints: [h:1]}}") == [
        (
            'gateway.yaml:1:13: upstreams."a b": found "a b", '
            "expected a name of letters, digits, - and _"
        )
    ]


@pytest.mark.parametrize("name", ["rest", "graphql", "websocket", "admin"])
def test_switched_off(read, name):
    assert getattr(read(f"{name}: false").config, name) is None
    assert getattr(read(f"{name}: ${{OFF}}", environ={"OFF": "false"}).config, name) is None


def test_pages_switched_off(read):
    rest = read("rest: {openapi: false, docs: false}").config.rest
    assert (rest.openapi, rest.docs) == (None, None)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~\n", "{}\n", "\ufeff"])
def test_an_empty_file_is_the_defaults(read, text):
    assert read(text).config == Config()


def test_defaults():
    config = load(None, environ={}).config
    assert config.listener.address == (TcpAddress("127.0.0.1", 8080),)
    assert config.listener.limits.body_size == 4 * 1024**2
    assert config.listener.limits.stream_idle_timeout == 300
    assert config.listener.drain_timeout == 30
    assert config.admin.address == TcpAddress("127.0.0.1", 9090)
    assert config.rest.unannotated
    assert config.rest.json.unknown_fields == "reject"
    assert "authorization" in config.headers.request.allow


def test_defaults_of_an_upstream(read):
    upstream = read(UPSTREAM).config.upstreams["a"]
    assert upstream.endpoints[0].address == TcpAddress("h", 1)
    assert (upstream.timeout, upstream.stream_timeout) == (5, 0)
    assert (upstream.keepalive.time, upstream.keepalive.timeout) == (300, 20)
    assert (upstream.transport, upstream.balancing.policy) == ("native", "least_request")
    assert upstream.connections == 1
    assert upstream.tls is None


def test_the_default_folder_of_protos_counts_where_it_is(read, folder):
    assert read("").config.schema.protos == ()
    (folder / "protos").mkdir()
    assert [each.path for each in read("").config.schema.protos] == [folder / "protos"]
    assert read("schema: {protos: []}").config.schema.protos == ()


def test_the_default_files_of_the_graph_count_where_they_are(read, folder):
    graphql = read("").config.graphql
    assert (graphql.joins, graphql.operations) == ((), ())
    (folder / "schema" / "operations").mkdir(parents=True)
    (folder / "schema" / "joins.graphql").touch()
    graphql = read("").config.graphql
    assert graphql.joins == (folder / "schema" / "joins.graphql",)
    assert graphql.operations == (folder / "schema" / "operations",)
    graphql = read("graphql: {joins: [], operations: []}").config.graphql
    assert (graphql.joins, graphql.operations) == ((), ())


@pytest.mark.parametrize(
    ("text", "globs"),
    [
        ("reject", ()),
        ("ignore", ("*",)),
        ("{ignore: ['utm_*', b]}", ("utm_*", "b")),
        ("{ignore: []}", ()),
    ],
)
def test_unknown_query(read, text, globs):
    unknown = read(f"rest: {{unknown_query: {text}}}").config.rest.unknown_query
    assert unknown.ignore == globs


def test_header_names_have_no_case(read):
    config = read("headers: {request: {allow: [X-Tenant]}, response: {allow: ['*']}}").config
    assert config.headers.request.allow == ("x-tenant",)
    assert config.headers.response.allow == ("*",)


def test_relative_paths_are_relative_to_the_file(folder):
    (folder / "etc" / "p").mkdir(parents=True)
    (folder / "etc" / "g.yaml").write_text(
        "schema: {protos: [p]}\nlistener: {address: 'unix:g.sock'}"
    )
    config = load("etc/g.yaml", environ={}).config
    assert [each.path for each in config.schema.protos] == [folder / "etc" / "p"]
    assert config.listener.address == (UnixAddress(f"{folder}/etc/g.sock"),)


def test_the_environment_takes_its_keys_type(read):
    text = """
        listener:
          address: ["${HOST}:${PORT:-8080}"]
          limits: {connections: "${N}", body_size: "${N}", body_timeout: "${T}"}
        rest: {etag: "${B}", json: {unknown_fields: "${E}"}}
        workers: ${W:-1}
    """
    environ = {"HOST": "h", "N": "5", "T": "2s", "B": "true", "E": "ignore"}
    config = read(text, environ=environ).config
    assert config.listener.address == (TcpAddress("h", 8080),)
    assert config.listener.limits.connections == 5
    assert config.listener.limits.body_size == 5
    assert config.listener.limits.body_timeout == 2
    assert config.rest.etag is True
    assert config.rest.json.unknown_fields == "ignore"


@pytest.mark.parametrize(
    "text",
    [
        "rest: ${S}",
        "rest: {etag: '${S}'}",
        "rest: {prefix: 'a${S}'}",
        "rest: {json: {unknown_fields: '${S}'}}",
        "listener: {address: '${S}'}",
        "listener: {trusted_proxies: ['${S}']}",
        "listener: {limits: {connections: '${S}'}}",
        "listener: {limits: {body_size: '${S}'}}",
        "listener: {limits: {body_timeout: '${S}'}}",
        "listener: {tls: {certificate: '${S}', key: '${S}'}}",
        "schema: {reflection: ['${S}'], protos: ['${S}']}",
        "workers: ${S}",
        "transport: ${S}",
        "headers: {request: {allow: ['${S}']}}",
        "upstreams: {a: {services: ['${S}'], endpoints: ['${S}', {address: '${S}'}]}}",
        "${S}",
    ],
)
def test_what_came_from_the_environment_is_not_repeated(problems, text):
    for line in problems(text, environ={"S": "hunter2 /x"}):
        assert "hunter2" not in line


@pytest.mark.parametrize(
    "url", ["https://id.example", "http://[::1]:8080/a@b", "https://h/x?y=a@b", "https://h?a@b"]
)
def test_an_at_sign_behind_the_host_is_no_user(read, url):
    introspection = f"{{endpoint: '{url}', client_id: gw, client_secret: x}}"
    config = read(f"auth: {{providers: {{t: {{introspection: {introspection}}}}}}}").config
    assert config.auth.providers["t"].introspection.endpoint == url


def test_the_url_of_the_collector_may_have_a_user(read):
    url = "http://user:secret@otlp.example/?k=x"
    assert read(f"telemetry: {{tracing: {{otlp: '{url}'}}}}").config.telemetry.tracing.otlp == url


def test_an_unset_variable(problems):
    assert problems("workers: ${N}\nrest: {prefix: '${P'}") == [
        (
            "gateway.yaml:1:10: workers: environment variable N is not set; "
            "set it, or write ${N:-default}"
        ),
        (
            "gateway.yaml:2:16: rest.prefix: a malformed ${…}: "
            "expected ${NAME} or ${NAME:-default}; $${ stands for ${"
        ),
    ]


def test_what_is_not_yaml_stops_the_reading(problems):
    assert problems("rest: {etag: 1}\na: b: c") == [
        'gateway.yaml:2:5: not YAML: unexpected ":"; quote the text, or check the indentation'
    ]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        pytest.param(b"rest:\n  a\xff: 1", "2:4: not UTF-8 text", id="not UTF-8"),
        pytest.param("a: 1".encode("utf-16"), "1:1: not UTF-8 text", id="UTF-16"),
        pytest.param(b"#" * (4 * 1024**2 + 1), " larger than 4194304 bytes", id="size"),
    ],
)
def test_bytes_that_are_no_config(problems, data, line):
    assert problems(data) == [AT + line]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("none.yaml", "none.yaml: no such file"),
        (".", ".: cannot be read: Is a directory"),
        ("a\0b", "a\\u0000b: cannot be read: not a file's name"),
    ],
)
def test_files_that_cannot_be_read(folder, path, line):
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == line


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(folder):
    os.mkfifo("pipe.yaml")
    with pytest.raises(ConfigError) as caught:
        load("pipe.yaml")
    assert str(caught.value) == "pipe.yaml: cannot be read: it is not a regular file"


def test_places_stay(read):
    source = read(
        """
        upstreams:
          catalog:
            services: [shop.*]
            endpoints: [h:1, {address: h:2}]
            timeout: 1s
        """,
        "rest.etag=true",
    ).source
    assert source.locate("upstreams.catalog") == "gateway.yaml:2:3"
    assert source.locate("upstreams.catalog.timeout") == "gateway.yaml:5:5"
    assert source.locate("upstreams.catalog.endpoints.0.address") == "gateway.yaml:4:17"
    assert source.locate("upstreams.catalog.endpoints.1.address") == "gateway.yaml:4:23"
    assert source.locate("upstreams.catalog.stream_timeout") == "default"
    assert source.locate("rest.etag") == "--set rest.etag=…"
    assert source.locate("rest.prefix") == "default"
    assert source.locate("listener.address") == "default"
    with pytest.raises(ValueError, match="empty name"):
        source.locate("a..b")


def test_from_a_mapping():
    data = {
        "schema": {"reflection": ["backend"], "protos": []},
        "upstreams": {"backend": {"services": ["*"], "endpoints": ["127.0.0.1:50051"]}},
        "admin": False,
    }
    loaded = from_mapping(data, origin="--reflect 127.0.0.1:50051", overrides=["rest.etag=true"])
    assert loaded.config.upstreams["backend"].endpoints[0].address.port == 50051
    assert loaded.config.rest.etag
    assert loaded.source.locate("upstreams.backend") == "--reflect 127.0.0.1:50051"


def test_a_mapping_with_mistakes():
    data = {"upstreams": {"backend": {"services": ["*"], "endpoints": ["127.0.0.1"]}}}
    with pytest.raises(ConfigError) as caught:
        from_mapping(data, origin="--reflect 127.0.0.1")
    assert str(caught.value) == (
        '--reflect 127.0.0.1: upstreams.backend.endpoints.0: found "127.0.0.1", '
        "expected host:port such as 127.0.0.1:8080, or unix:/path"
    )


def test_a_mapping_that_yaml_could_not_hold():
    with pytest.raises(TypeError, match="object"):
        from_mapping({"rest": object()}, origin="test")
