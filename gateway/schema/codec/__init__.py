"""ProtoJSON: messages from JSON, JSON from messages, and access to their fields.

The one package that knows `protobuf-py`, so that the choice can be changed in one place. Only bytes
cross its border: a `Message` is opaque to callers, who set and read it by `FieldCodec`s. How it is
read, in the order of a request:

    text        bytes to a JSON value: UTF-8, depth, one value, no repeated names
    traits      what a type's JSON can do wrong that the native parser does not see
    reader      the value to a message by protobuf-py; when in doubt or refused, the check
    check       the value against the descriptors, with the path of each fault
    scalars     the part of it that is about numbers, strings, enums and map keys
    well_known  the part of it that is about the types of google.protobuf with a JSON of their own
    reference   google.protobuf.json_format, where protobuf-py departs from the specification
    types       protobuf-py's classes, made from the descriptor pool when first needed
    floats      the digits of floats
    writer      a message to JSON, by protobuf-py or else by the reference
    message     the codec of a message type; `fields` that of one field; `paths` of a PATCH's mask

It does not know HTTP, and decides nothing of what a body binds.
"""

from gateway.schema.codec.codec import MAX_DEPTH, Codec
from gateway.schema.codec.errors import CodecError
from gateway.schema.codec.fields import FieldCodec
from gateway.schema.codec.message import MessageCodec
from gateway.schema.codec.options import JsonOptions
from gateway.schema.codec.types import Message

__all__ = [
    "MAX_DEPTH",
    "Codec",
    "CodecError",
    "FieldCodec",
    "JsonOptions",
    "Message",
    "MessageCodec",
]
