"""Where each value of a loaded configuration was set: a line, an override, or nowhere."""

from dataclasses import dataclass

from gateway.config.problems import Path, Place, parse_path
from gateway.config.tree import Node, find

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Source:
    """The places of a configuration's values.

    Attributes:
        root: The tree as it was read, overrides included.
    """

    root: Node

    def place(self, path: Path) -> Place | None:
        """Where the key at `path` was set; None where it has its default.

        Of a part of a short form (`endpoints: ["host:1"]`), the place of the whole.
        """
        found, node = find(self.root, path)
        if found == path or (found and not isinstance(node.value, dict | list)):
            return node.key
        return None

    def locate(self, path: str) -> str:
        """As `file:line:column`, `--set …` or `default`.

        Args:
            path: Dotted, as errors print it: `upstreams.catalog.timeout`, `listener.address.0`.

        Raises:
            ValueError: Where `path` is not a path.
        """
        return str(self.place(parse_path(path)) or DEFAULT)
