"""The configuration: what the file may say, how it is read, and what is said when it is wrong.

It imports nothing else of the gateway. `app` and the commands call `load`; everything else reads
the plain attributes of `Config`.
"""

from gateway.config.assignment import assign, matches
from gateway.config.effective import Settings, effective, idle_patterns
from gateway.config.json_schema import json_schema
from gateway.config.loading import Loaded, from_mapping, load, load_admin, read_text
from gateway.config.mocking import Mocking
from gateway.config.models import Config, Upstream
from gateway.config.problems import ConfigError, Problem
from gateway.config.source import Source
from gateway.config.units import Address, Rate, TcpAddress, UnixAddress

__all__ = [
    "Address",
    "Config",
    "ConfigError",
    "Loaded",
    "Mocking",
    "Problem",
    "Rate",
    "Settings",
    "Source",
    "TcpAddress",
    "UnixAddress",
    "Upstream",
    "assign",
    "effective",
    "from_mapping",
    "idle_patterns",
    "json_schema",
    "load",
    "load_admin",
    "matches",
    "read_text",
]
