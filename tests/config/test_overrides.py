"""`--set path=value`."""

import pytest

from gateway.config import TcpAddress, load

BASE = """
    upstreams:
      catalog: {services: [shop.*], endpoints: [a:1, b:2]}
"""


def test_a_value_replaces_the_file(read):
    loaded = read("listener: {address: 127.0.0.1:80}", "listener.address=127.0.0.1:0")
    assert loaded.config.listener.address == (TcpAddress("127.0.0.1", 0),)
    assert loaded.source.locate("listener.address") == "--set listener.address=…"


def test_the_last_one_wins(read):
    assert read("", "rest.etag=true", "rest.etag=false").config.rest.etag is False


def test_values_are_yaml(read):
    config = read("", "schema.expose=[a.*, b.*]", "rest={prefix: /api}").config
    assert config.schema.expose == ("a.*", "b.*")
    assert config.rest.prefix == "/api"


def test_items_by_index(read):
    config = read(
        BASE, "upstreams.catalog.endpoints.0=c:3", "upstreams.catalog.endpoints.2=d:4"
    ).config
    assert [str(e.address) for e in config.upstreams["catalog"].endpoints] == ["c:3", "b:2", "d:4"]


def test_what_is_not_there_is_made():
    config = load(
        None,
        overrides=["upstreams.a.services.0='*'", 'upstreams."a".endpoints.0=h:1'],
        environ={},
    ).config
    assert config.upstreams["a"].services == ("*",)


def test_nothing_is_the_empty_text(read):
    assert read("rest: {prefix: /api}", "rest.prefix=").config.rest.prefix == ""


def test_a_front_switched_off(read):
    assert read("rest: {etag: true}", "rest=false").config.rest is None


def test_the_environment_is_read(read):
    config = read("", "rest.prefix=${P}", environ={"P": "/p"}).config
    assert config.rest.prefix == "/p"


@pytest.mark.parametrize(
    ("override", "line"),
    [
        pytest.param(
            "listener.adress=x",
            '--set listener.adress=…: listener.adress: unknown key; did you mean "address"?',
            id="unknown key",
        ),
        pytest.param(
            "rest.etag=maybe",
            '--set rest.etag=…: rest.etag: found "maybe", expected true or false',
            id="wrong value",
        ),
        pytest.param(
            "rest.etag",
            "--set: rest.etag: expected a value: rest.etag=…",
            id="no value",
        ),
        pytest.param(
            "=1",
            "--set =…: expected path=value, such as listener.address=127.0.0.1:0",
            id="no path",
        ),
        pytest.param(
            "a..b=1",
            "--set a..b=…: expected path=value, such as listener.address=127.0.0.1:0",
            id="an empty name",
        ),
        pytest.param(
            'a."b=1',
            '--set a."b=…: expected path=value, such as listener.address=127.0.0.1:0',
            id="an open quote",
        ),
        pytest.param(
            "rest.prefix=[a",
            '--set rest.prefix=…: rest.prefix: not YAML: expected "," or "]" in the list',
            id="not YAML",
        ),
        pytest.param(
            "rest.prefix=${NONE}",
            "--set rest.prefix=…: rest.prefix: environment variable NONE is not set; "
            "set it, or write ${NONE:-default}",
            id="unset variable",
        ),
        pytest.param(
            "upstreams.catalog.endpoints.9=c:3",
            "--set upstreams.catalog.endpoints.9=…: upstreams.catalog.endpoints.9: "
            "found 9, expected an index from 0 to 2; 2 appends",
            id="index out of range",
        ),
        pytest.param(
            "upstreams.catalog.endpoints.x=c:3",
            "--set upstreams.catalog.endpoints.x=…: upstreams.catalog.endpoints.x: "
            "found x, expected an index from 0 to 2; 2 appends",
            id="a name in a list",
        ),
        pytest.param(
            "upstreams.catalog.services.0.x=1",
            "--set upstreams.catalog.services.0.x=…: upstreams.catalog.services.0: "
            "it is a single value and has no x",
            id="below a scalar",
        ),
        pytest.param(
            "workers=~",
            "--set workers=…: workers: found nothing after the colon, expected a value; "
            "without the key it has its default",
            id="null",
        ),
    ],
)
def test_refused(problems, override, line):
    assert problems(BASE, override) == [line]


def test_the_files_problems_come_first(problems):
    assert problems("\n\nrest: {etag: 1}\n", "workerz=1", "rest.json.proto_names=2") == [
        "gateway.yaml:1:14: rest.etag: found the number 1, expected true or false",
        '--set workerz=…: workerz: unknown key; did you mean "workers"?',
        (
            "--set rest.json.proto_names=…: rest.json.proto_names: "
            "found the number 2, expected true or false"
        ),
    ]
