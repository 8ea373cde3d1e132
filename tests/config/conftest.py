"""A configuration in a folder of its own, and what is wrong with it as lines."""

from textwrap import dedent

import pytest

from gateway.config import ConfigError, load


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
