"""The demo from an installed package, laid out as pyproject.toml lays out the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_the_example_is_inside_the_installed_package(tmp_path: Path) -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    site = tmp_path / "site"
    ignored = shutil.ignore_patterns("__pycache__")
    for package in wheel["packages"]:
        shutil.copytree(REPOSITORY / package, site / package, ignore=ignored)
    for source, target in wheel["force-include"].items():
        shutil.copytree(REPOSITORY / source, site / target, ignore=ignored)
    program = (
        "import gateway, asyncio\n"
        "from gateway.cli.example import backends, root\n"
        "async def main():\n"
        "    async with backends(root(), 1) as running:\n"
        "        print(gateway.__file__, root(), *running.addresses)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    package, root, address = done.stdout.split()
    assert Path(package).parent == site / "gateway"
    assert Path(root) == site / "gateway" / "_example"
    assert address.startswith("127.0.0.1:")
