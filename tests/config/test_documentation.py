"""docs/configuration.md has every key, its default, and nothing else."""

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.config import Config, json_schema
from gateway.config.structure import all_keys

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
ROW = re.compile(r"^\| `([a-z_A-Z.\[\]]+)` \| (?:`(.*?)`)? ?\| (.+) \|$", re.MULTILINE)
ROWS = {key: (default, text) for key, default, text in ROW.findall(PAGE)}
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
# What stands for the names that users choose, by the mapping that they stand in.
NAMED = {
    "upstreams": "NAME",
    "auth.providers": "NAME",
    "plans": "NAME",
    "hosts": "NAME",
    "graphql.methods": "METHOD",
    "graphql.fields": "FIELD",
    "graphql.oneofs": "ONEOF",
}


def documented(path):
    """The name of a key in the page: a list's items are `[]`, an upstream is NAME, …"""
    text = ".".join(map(str, path))
    for section, name in NAMED.items():
        text = text.replace(f"{section}.*", f"{section}.{name}")
    return text.replace(".*", "[]")


def test_every_key_has_a_row_and_no_other():
    built = {documented(path) for path, _ in all_keys(Config)}
    bindings = {key for key in built if "additional_bindings[]" in key}  # described as the rule's
    assert set(ROWS) == built - bindings


WITHIN = {
    "rest.unknown_query.ignore",
    "auth.providers.NAME.introspection.client_secret.file",
    "admin.token.file",
}


def test_defaults_are_those_of_the_models(schema_keys):
    schemas = {}
    for path, schema in schema_keys.items():
        key = re.sub(
            r"\b(http_rules|endpoints|protos|lookups|policies|rate_limits|route|split)\.",
            r"\1[].",
            ".".join(path),
        )
        for section, name in NAMED.items():
            key = key.replace(f"{section}.", f"{section}.{name}.")
        schemas[key] = schema
    assert schemas.keys() - ROWS.keys() == WITHIN
    for key, (default, _) in ROWS.items():
        if "default" in schemas[key]:
            expected = schemas[key]["default"]
            written = yaml.safe_load(default)
            assert expected in (written, [written]), key
        else:
            assert default in ("", "{}")


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_right(text, read, folder):
    (folder / "protos").mkdir()
    for name in ("keys.yaml", "users.yaml"):
        (folder / name).touch()
    read(text, environ={"SECRET": "s3cr3t"})
    Draft202012Validator(json_schema()).validate(yaml.safe_load(text))


def test_the_mistakes_shown_are_what_is_printed(problems):
    shown = re.findall(r"^gateway\.yaml:\d.*$", PAGE, re.MULTILINE)
    assert problems("listener:\n  adress: x\n  limits: {body_size: 4MB}\n") == shown
