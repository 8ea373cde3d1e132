"""What the figures were made on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine() -> str:
    """Says the processor, its cores, the system, Python and the event loop in one line."""
    cores = os.cpu_count()
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return (
        f"{names[0] if names else platform.machine()}, {cores} cores, "
        f"{platform.system()} {platform.release().partition('-')[0]}, "
        f"CPython {platform.python_version()}, uvloop {version('uvloop')}"
    )
