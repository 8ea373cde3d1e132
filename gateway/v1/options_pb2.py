"""Python's side of `gateway/v1/options.proto`, for code that is generated of users' protos.

Such code imports `gateway.v1.options_pb2`. It is what the compiler would write but for the check of
the library's version, which would tie an installed gateway to one release of protobuf. A test
compiles the proto and compares.
"""

import base64

from google.protobuf import descriptor_pb2 as _descriptor_pb2  # noqa: F401  its file comes first
from google.protobuf import descriptor_pool
from google.protobuf.internal import builder

_SERIALIZED = (
    "ChhnYXRld2F5L3YxL29wdGlvbnMucHJvdG8SCmdhdGV3YXkudjEaIGdvb2dsZS9wcm90b2J1Zi9kZXNjcmlwdG9y"
    "LnByb3RvIj8KBUZpZWxkEhEKBG5hbWUYASABKAlIAIgBARIRCgRoaWRlGAIgASgISAGIAQFCBwoFX25hbWVCBwoF"
    "X2hpZGUipAEKBk1ldGhvZBIRCgRuYW1lGAEgASgJSACIAQESDwoHYWxpYXNlcxgCIAMoCRIRCgRoaWRlGAMgASgI"
    "SAGIAQESIwoEa2luZBgEIAEoDjIQLmdhdGV3YXkudjEuS2luZEgCiAEBEiMKB2xvb2t1cHMYBSADKAsyEi5nYXRl"
    "d2F5LnYxLkxvb2t1cEIHCgVfbmFtZUIHCgVfaGlkZUIHCgVfa2luZCIlCgVPbmVvZhISCgV1bmlvbhgBIAEoCEgA"
    "iAEBQggKBl91bmlvbiJgCgZMb29rdXASDAoEdHlwZRgBIAEoCRIMCgRrZXlzGAIgASgJEg0KBWl0ZW1zGAMgASgJ"
    "EgoKAmJ5GAQgASgJEhEKCW1heF9iYXRjaBgFIAEoDRIMCgRtYXNrGAYgASgJKjUKBEtpbmQSFAoQS0lORF9VTlNQ"
    "RUNJRklFRBAAEgkKBVFVRVJZEAESDAoITVVUQVRJT04QAjpBCgVmaWVsZBIdLmdvb2dsZS5wcm90b2J1Zi5GaWVs"
    "ZE9wdGlvbnMY974EIAEoCzIRLmdhdGV3YXkudjEuRmllbGQ6RAoGbWV0aG9kEh4uZ29vZ2xlLnByb3RvYnVmLk1l"
    "dGhvZE9wdGlvbnMY974EIAEoCzISLmdhdGV3YXkudjEuTWV0aG9kOkEKBW9uZW9mEh0uZ29vZ2xlLnByb3RvYnVm"
    "Lk9uZW9mT3B0aW9ucxj3vgQgASgLMhEuZ2F0ZXdheS52MS5PbmVvZmIGcHJvdG8z"
)

DESCRIPTOR = descriptor_pool.Default().AddSerializedFile(base64.b64decode(_SERIALIZED))

builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())
builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, __name__, globals())
