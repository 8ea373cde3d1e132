"""What the config says of replies: codings whose library is there, and pages of other origins."""

import pytest

from gateway.app import replies
from gateway.config import load
from gateway.listener import codings


@pytest.fixture
def loaded(tmp_path):
    def loaded(listener):
        path = tmp_path / "gateway.yaml"
        path.write_text(f"listener: {listener}")
        return load(path, environ={})

    return loaded


def test_a_coding_without_its_library_is_a_mistake(loaded, monkeypatch):
    found = loaded("{compression: [gzip, zstd]}")
    assert list(replies.unpackable(found.config, found.source)) == []
    monkeypatch.setattr(codings, "find_spec", lambda _: None)
    (line,) = replies.unpackable(found.config, found.source)
    assert line.endswith(
        "gateway.yaml:1:32: listener.compression.1: needs the extra zstd:"
        " pip install 'grpc-api-gateway[zstd]'"
    )


@pytest.mark.parametrize("listener", ["{}", "{cors: {}}", "{cors: {credentials: true}}"])
def test_without_origins_there_is_nothing(loaded, listener):
    assert replies.cors(loaded(listener).config.listener) is None


def test_all_that_is_said_of_pages(loaded):
    found = replies.cors(
        loaded(
            '{cors: {origins: ["https://App.example"], credentials: true, max_age: 5m,'
            " methods: [GET], headers: [X-A], expose: [X-B]}}"
        ).config.listener
    )
    assert found.origins == ("https://app.example",)
    assert (found.credentials, found.max_age) == (True, 300)
    assert (found.methods, found.headers, found.expose) == (("GET",), ("x-a",), ("x-b",))
