"""`gateway generate typescript`: what it writes, removes and leaves alone; `--check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from tests.cli.conftest import PROTOS, write_config
from tests.cli.processes import invoke


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A folder with a config that has documents, too."""
    schema = PROTOS.parent / "schema"
    graph = f"{{joins: [{schema / 'joins.graphql'}], operations: [{schema / 'operations'}]}}"
    write_config(tmp_path, "127.0.0.1:1", f"graphql: {graph}")
    return tmp_path


def made(folder: Path, *more: str, out: str = "api") -> None:
    done = invoke("generate", "typescript", "--out", out, *more, cwd=folder)
    assert done.code == 0, done.err


def test_what_is_served_is_written(served: Path) -> None:
    made(served)
    found = {path.relative_to(served / "api").as_posix() for path in (served / "api").rglob("*.ts")}
    fronts = {"rest.ts", "graphql.ts", "socket.ts", "index.ts"}
    assert fronts | {"types/shop/catalog/v1.ts", "runtime/errors.ts"} <= found


@pytest.mark.parametrize(
    ("setting", "gone"),
    [
        pytest.param("rest=false", "rest", id="rest"),
        pytest.param("graphql=false", "graphql", id="graphql"),
        pytest.param("websocket=false", "socket", id="websocket"),
    ],
)
def test_a_front_that_is_off_has_no_client_and_its_files_go(
    setting: str, gone: str, served: Path
) -> None:
    made(served)
    made(served, "--set", setting)
    assert not (served / "api" / f"{gone}.ts").exists()
    assert not (served / "api" / "runtime" / f"{gone}.ts").exists()
    assert gone not in (served / "api" / "index.ts").read_text()


def test_without_documents_there_is_nothing_to_ask_the_graph_with(shop: Path) -> None:
    made(shop)
    assert not (shop / "api" / "graphql.ts").exists()


def test_files_of_others_stay(shop: Path) -> None:
    (shop / "api").mkdir()
    (shop / "api" / "mine.ts").write_text("export {};\n")
    made(shop)
    assert (shop / "api" / "mine.ts").read_text() == "export {};\n"


def test_files_of_others_that_are_in_the_way_stay_and_nothing_is_written(shop: Path) -> None:
    (shop / "api").mkdir()
    (shop / "api" / "index.ts").write_text("export {};\n")
    done = invoke("generate", "typescript", "--out", "api", cwd=shop)
    assert done.code == Exit.FAILED
    assert done.errors[0] == "api/index.ts is no file of this command's: it is not written over"
    assert [each.name for each in (shop / "api").iterdir()] == ["index.ts"]
    assert (shop / "api" / "index.ts").read_text() == "export {};\n"


def test_files_that_were_made_are_known_whatever_ends_their_lines(shop: Path) -> None:
    made(shop)
    index = shop / "api" / "index.ts"
    text = index.read_bytes()
    index.write_bytes(text.replace(b"\n", b"\r\n"))
    made(shop)
    assert index.read_bytes() == text


def test_a_folder_of_protos_takes_no_config(tmp_path: Path) -> None:
    made(tmp_path, "--protos", str(PROTOS))
    assert "class CatalogService" in (tmp_path / "api" / "rest.ts").read_text()


def test_it_is_the_same_each_time_and_check_says_so(shop: Path) -> None:
    made(shop)
    done = invoke("generate", "typescript", "--out", "api", "--check", cwd=shop)
    assert (done.code, done.out) == (0, "api is current\n")


def test_check_names_what_is_not_current_and_writes_nothing(shop: Path) -> None:
    made(shop)
    changed, missing = shop / "api" / "rest.ts", shop / "api" / "index.ts"
    left = shop / "api" / "types" / "old.ts"
    left.write_text(changed.read_text())
    changed.write_text(changed.read_text() + "\n")
    missing.unlink()
    done = invoke("generate", "typescript", "--out", "api", "--check", cwd=shop)
    assert done.code == Exit.FAILED
    assert done.errors == [
        "api/index.ts: is missing",
        "api/rest.ts: is not current",
        "api/types/old.ts: is made no more",
    ]
    assert not missing.exists()
    assert left.exists()


def test_hosts_that_serve_different_things_need_one_to_be_said(tmp_path: Path) -> None:
    write_config(
        tmp_path,
        "127.0.0.1:1",
        "hosts:",
        "  a.example: {services: [shop.catalog.*]}",
        "  b.example: {services: [shop.users.*]}",
    )
    done = invoke("generate", "typescript", "--out", "api", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert "say which with --host: a.example, b.example" in done.err
    made(tmp_path, "--host", "b.example")
    text = (tmp_path / "api" / "rest.ts").read_text()
    assert ("class UserService" in text, "class CatalogService" in text) == (True, False)


def test_a_folder_that_cannot_be_written(shop: Path) -> None:
    (shop / "api").write_text("a file")
    done = invoke("generate", "typescript", "--out", "api", cwd=shop)
    assert done.code == Exit.FAILED
    assert "can't be written" in done.err


def test_what_is_made_into_a_folder_below_stays(shop: Path) -> None:
    made(shop, out="api/other")
    made(shop)
    assert (shop / "api" / "other" / "rest.ts").exists()
