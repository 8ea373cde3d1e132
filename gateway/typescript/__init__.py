"""TypeScript for those who call the gateway: types of messages, and clients of each front.

It is made of the same descriptors, routes and documents that are served; what a front does with a
request is known here only as far as a client must know it. `runtime/` is written by hand and goes
into each output as it is. Files are made here as text; writing them is the command's.
"""

from gateway.typescript.api import Api, Document, Route
from gateway.typescript.output import HEADER, PLACES, files

__all__ = ["HEADER", "PLACES", "Api", "Document", "Route", "files"]
