"""What the codecs of one generation share: descriptors, classes, options, limits."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.descriptor_pool import DescriptorPool

from gateway.schema.codec.check import Check
from gateway.schema.codec.options import JsonOptions
from gateway.schema.codec.reference import Reference
from gateway.schema.codec.text import Tree
from gateway.schema.codec.types import Types


class Context:
    """What the codecs of one generation share.

    Attributes:
        pool: The descriptors.
        types: protobuf-py's types of them.
        options: How JSON is written and read.
        max_depth: The most levels of arrays and objects in a JSON text.
        reference: json_format under the same options.
    """

    __slots__ = ("max_depth", "options", "pool", "reference", "types")

    def __init__(self, pool: DescriptorPool, options: JsonOptions, max_depth: int) -> None:
        self.pool = pool
        self.types = Types(pool)
        self.options = options
        self.max_depth = max_depth
        self.reference = Reference(pool, options)

    def check(self, run: Callable[[Check, Tree], None]) -> Callable[[Tree], Check]:
        """Returns a check of one type or field from what it runs."""

        def checked(tree: Tree) -> Check:
            check = Check(self.pool, ignore_unknown=self.options.ignore_unknown_fields)
            run(check, tree)
            return check

        return checked
