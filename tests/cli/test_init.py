"""`gateway init`: a config that runs as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from services_mock.testing import Backend
from tests.cli.conftest import PROTOS
from tests.cli.processes import invoke

SERVICE = """syntax = "proto3";
package {package};
message Empty {{}}
service {name} {{ rpc Do(Empty) returns (Empty); }}
"""


def test_from_protos_it_lists_their_services(tmp_path: Path) -> None:
    assert invoke("init", "--protos", PROTOS, cwd=tmp_path).code == 0
    text = (tmp_path / "gateway.yaml").read_text()
    assert "- shop.catalog.v1.CatalogService" in text
    assert "#" in text
    done = invoke("check", cwd=tmp_path)
    assert done.out.startswith("ok: 7 services")
    assert all(line.startswith("note: ") for line in done.errors)


def test_from_a_backend_it_lists_its_services(tmp_path: Path, backend: Backend) -> None:
    assert invoke("init", "--reflect", backend.addresses[0], cwd=tmp_path).code == 0
    text = (tmp_path / "gateway.yaml").read_text()
    assert "- shop.users.v1.UserService" in text
    assert backend.addresses[0] in text
    assert invoke("check", cwd=tmp_path).out.startswith("ok: 7 services")


@pytest.mark.parametrize("folder", ["protos", "my protos: [1]", "läden"])
def test_a_folder_of_any_name(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "a.proto").write_text(SERVICE.format(package="a.v1", name="A"))
    arguments = [] if folder == "protos" else ["--protos", folder]
    assert invoke("init", *arguments, cwd=tmp_path).code == 0
    assert invoke("check", cwd=tmp_path).out == "ok: 1 service, 1 method, 1 route\n"
    assert len((tmp_path / "gateway.yaml").read_text().splitlines()) == 10


def test_with_nothing_to_look_at_it_is_for_a_backend_with_reflection(tmp_path: Path) -> None:
    assert invoke("init", cwd=tmp_path).code == 0
    done = invoke("check", cwd=tmp_path)
    # Well formed: all that is missing is the backend.
    assert done.err.startswith("reflection of upstream 'backend': 127.0.0.1:50051") or (
        done.code == 0
    )


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("# mine\n")
    done = invoke("init", cwd=tmp_path)
    assert done.code == Exit.FAILED
    assert "--force" in done.err
    assert (tmp_path / "gateway.yaml").read_text() == "# mine\n"
    assert invoke("init", "--force", cwd=tmp_path).code == 0
    assert (tmp_path / "gateway.yaml").read_text() != "# mine\n"


@pytest.mark.parametrize("option", ["--reflect=127.0.0.1:1", "--protos=nowhere"])
def test_nothing_is_written_when_there_is_nobody_to_ask(option: str, tmp_path: Path) -> None:
    assert invoke("init", option, cwd=tmp_path).code == Exit.MISTAKE
    assert not (tmp_path / "gateway.yaml").exists()
