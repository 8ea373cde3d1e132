"""An API gateway in front of gRPC services: one endpoint, made from their protos."""

__version__ = "0.1.0"
