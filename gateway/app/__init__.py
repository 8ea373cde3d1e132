"""The application: builds a generation from a config, serves it, replaces it whole.

The one place that knows every part of the gateway.
"""

from gateway.app.app import Adopted, App
from gateway.app.build_error import BuildError
from gateway.app.generation import Generation, build

__all__ = ["Adopted", "App", "BuildError", "Generation", "build"]
