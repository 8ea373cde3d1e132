"""Whatever stands in the file, an override or the environment: a configuration or a ConfigError."""

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import Config, ConfigError, load
from gateway.config.structure import all_keys, keys_of

SETTINGS = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def attempt(path, overrides=(), environ=None):
    try:
        loaded = load(path, overrides=overrides, environ=environ or {})
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.message
            assert "Input should" not in problem.message  # pydantic's own words
            assert str(problem).isprintable()
    else:
        assert isinstance(loaded.config, Config)


@pytest.fixture
def write(folder):
    def write(data):
        (folder / "g.yaml").write_bytes(data)
        return "g.yaml"

    return write


@SETTINGS
@given(data=st.binary())
def test_any_bytes(write, data):
    attempt(write(data))


@SETTINGS
@given(text=st.text() | st.text("abc:-?&*!|>%@`'\"#,[]{}<~ \n\t\\$u0", max_size=60))
def test_any_text(write, text):
    attempt(write(text.encode("utf-8", "surrogatepass")))


@SETTINGS
@given(
    name=st.text(max_size=20) | st.sampled_from(["rest", "upstreams.a.endpoints.0", 'a."b".0']),
    value=st.text() | st.text("ab:-&*![]{}~ \"'${}"),
)
def test_any_override(name, value):
    attempt(None, [f"{name}={value}", name])


@SETTINGS
@given(value=st.text(st.characters(exclude_characters="\0")))
def test_any_environment(write, value):
    attempt(
        write(b"rest: {prefix: '${V}'}\nworkers: ${V}\nschema: {protos: ['${V}']}"),
        (),
        {"V": value},
    )


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["0s", "1m", "4MiB", "1/s", "h:1", "unix:x", "*", "a.*", "10.0.0.0/8", "/a"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["address", "file", "a"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def sections(section=Config):
    """Mappings with keys that exist and values that may be anything."""
    keys = {
        name: values | sections(key.shape.section) if key.shape.section else values
        for name, key in keys_of(section).items()
    }
    return st.fixed_dictionaries({}, optional=keys)


@SETTINGS
@given(data=st.deferred(sections))
def test_any_values_of_the_right_keys(write, data):
    attempt(write(yaml.safe_dump(data, allow_unicode=True).encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize(
    "path", [path for path, _ in all_keys(Config)], ids=lambda p: ".".join(map(str, p))
)
@settings(SETTINGS, max_examples=10)
@given(value=values)
def test_any_value_of_each_key(write, path, value):
    for part in reversed(path):
        value = [value] if part == "*" and path[0] != "upstreams" else {part: value}
    attempt(write(yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")))
