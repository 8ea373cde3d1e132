"""A configuration in a folder of its own, and what is wrong with it as lines."""

from textwrap import dedent

import pytest

from gateway.config import ConfigError, json_schema, load


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: config files are named in errors as they are given."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def read(folder):
    """Loads the text of a config file."""

    def read(text, *overrides, environ=None):
        (folder / "gateway.yaml").write_bytes(
            text if isinstance(text, bytes) else dedent(text).lstrip("\n").encode()
        )
        return load("gateway.yaml", overrides=overrides, environ=environ or {})

    return read


@pytest.fixture
def problems(read):
    """The lines that are printed for the text of a config file; it must be refused."""

    def problems(text, *overrides, environ=None):
        with pytest.raises(ConfigError) as caught:
            read(text, *overrides, environ=environ)
        assert str(caught.value) == "\n".join(map(str, caught.value.problems))
        return [str(problem) for problem in caught.value.problems]

    return problems


DEFINITIONS = json_schema()["$defs"]


def resolve(schema):
    """The schemas that `schema` may stand for."""
    if "$ref" in schema:
        yield from resolve(DEFINITIONS[schema["$ref"].rpartition("/")[2]])
    for choice in schema.get("anyOf", ()):
        yield from resolve(choice)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from resolve(schema[name])
    for choice in schema.get("patternProperties", {}).values():
        yield from resolve(choice)
    if "properties" in schema:
        yield schema


def properties(schema, path=()):
    """Every key of the schema with its schema; items stand under their list's key."""
    for section in resolve(schema):
        for name, value in section["properties"].items():
            yield (*path, name), value
            if name != "additional_bindings":
                yield from properties(value, (*path, name))


@pytest.fixture(scope="session")
def schema_keys():
    """Every key of the JSON Schema, as a path, with its schema."""
    return dict(properties(json_schema()))
