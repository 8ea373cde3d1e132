"""Secrets: where they come from, and that neither errors nor reprs repeat them."""

from typing import Annotated

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from gateway.config import load, wording
from gateway.config.places import Secret
from gateway.config.substitution import Substituted

ADAPTER = TypeAdapter(Annotated[SecretStr, Secret()])


def read(value, folder):
    return ADAPTER.validate_python(value, context={"directory": folder})


@pytest.mark.parametrize("value", ["hunter2", Substituted("hunter2")])
def test_a_text(value, tmp_path):
    secret = read(value, tmp_path)
    assert secret.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(secret)
    assert b"hunter2" not in ADAPTER.dump_json(secret)


@pytest.mark.parametrize("data", [b"hunter2", b"hunter2\n"])
def test_a_file(data, tmp_path):
    (tmp_path / "secret").write_bytes(data)
    assert read({"file": "secret"}, tmp_path).get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2222, "found a number, expected a text that is not empty, or {file: path}"),
        (["hunter2"], "found a list, expected a text that is not empty, or {file: path}"),
        ("", "found a text, expected a text that is not empty, or {file: path}"),
        (None, "found nothing, expected a text that is not empty, or {file: path}"),
        (True, "found true or false, expected a text that is not empty, or {file: path}"),
        ({"fil": "hunter2"}, "found a mapping, expected a text that is not empty, or {file: path}"),
        ({"file": "none"}, "no such file: {folder}/none"),
        ({"file": "."}, "not a file: {folder}"),
        ({"file": "binary"}, "not UTF-8 text: {folder}/binary"),
        ({"file": "large"}, "a secret of more than 65536 bytes: {folder}/large"),
        ({"file": "empty"}, "found a mapping, expected a text that is not empty, or {file: path}"),
    ],
)
def test_refused_without_repeating_it(value, message, tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "large").write_bytes(b"x" * 65537)
    (tmp_path / "empty").touch()
    with pytest.raises(ValidationError) as caught:
        read(value, tmp_path)
    (error,) = caught.value.errors(include_url=False)
    found = wording.message_of(error)
    assert found == message.replace("{folder}", str(tmp_path))
    assert "hunter2" not in found
    assert "2222" not in found


def test_a_loaded_config_shows_none_of_its_values(tmp_path):
    """Not where they stand in its text, either: a traceback may print any of it."""
    path = tmp_path / "gateway.yaml"
    path.write_text(
        """
upstreams: {shop: {services: ["shop.*"], endpoints: ["127.0.0.1:1"]}}
auth:
  providers:
    tokens:
      introspection: {endpoint: "https://id.example/", client_id: gw, client_secret: hunter2}
"""
    )
    again = "auth.providers.tokens.introspection.client_secret=hunter3"
    for loaded in load(path), load(path, overrides=[again]):
        source = loaded.source
        for each in (loaded, source, source.root, source.root.child("auth")):
            assert "hunter" not in repr(each)
            assert "id.example" not in repr(each)
        assert repr(source.root) == f"Node(place={source.root.place!r}, key={source.root.key!r})"
