"""Python's side of `gateway/v1/options.proto`, for code that is generated of users' protos.

Such code imports `gateway.v1.options_pb2`. It is what the compiler would write but for the check of
the library's version, which would tie an installed gateway to one release of protobuf. A test
compiles the proto and compares.
"""

import base64

from google.protobuf import descriptor_pb2 as _descriptor_pb2  # noqa: F401  its file comes first
from google.protobuf import descriptor_pool
from google.protobuf import duration_pb2 as _duration_pb2  # noqa: F401  as above
from google.protobuf.internal import builder

_SERIALIZED = (
    "ChhnYXRld2F5L3YxL29wdGlvbnMucHJvdG8SCmdhdGV3YXkudjEaIGdvb2dsZS9wcm90b2J1Zi9kZXNjcmlwdG9y"
    "LnByb3RvGh5nb29nbGUvcHJvdG9idWYvZHVyYXRpb24ucHJvdG8idQoHU2VydmljZRIUCgxhdXRoZW50aWNhdGUY"
    "ASADKAkSKAoJYXV0aG9yaXplGAIgASgLMhUuZ2F0ZXdheS52MS5BdXRob3JpemUSKgoHdGltZW91dBgDIAEoCzIZ"
    "Lmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbiJGCglBdXRob3JpemUSDgoGc2NvcGVzGAEgAygJEg0KBXJvbGVzGAIg"
    "AygJEhEKBHdoZW4YAyABKAlIAIgBAUIHCgVfd2hlbiJPCgVGaWVsZBIRCgRuYW1lGAEgASgJSACIAQESEQoEaGlk"
    "ZRgCIAEoCEgBiAEBEg4KBnNjb3BlcxgDIAMoCUIHCgVfbmFtZUIHCgVfaGlkZSKQAgoGTWV0aG9kEhEKBG5hbWUY"
    "ASABKAlIAIgBARIPCgdhbGlhc2VzGAIgAygJEhEKBGhpZGUYAyABKAhIAYgBARIjCgRraW5kGAQgASgOMhAuZ2F0"
    "ZXdheS52MS5LaW5kSAKIAQESIwoHbG9va3VwcxgFIAMoCzISLmdhdGV3YXkudjEuTG9va3VwEhQKDGF1dGhlbnRp"
    "Y2F0ZRgGIAMoCRIoCglhdXRob3JpemUYByABKAsyFS5nYXRld2F5LnYxLkF1dGhvcml6ZRIqCgd0aW1lb3V0GAgg"
    "ASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uQgcKBV9uYW1lQgcKBV9oaWRlQgcKBV9raW5kIiUKBU9uZW9m"
    "EhIKBXVuaW9uGAEgASgISACIAQFCCAoGX3VuaW9uImAKBkxvb2t1cBIMCgR0eXBlGAEgASgJEgwKBGtleXMYAiAB"
    "KAkSDQoFaXRlbXMYAyABKAkSCgoCYnkYBCABKAkSEQoJbWF4X2JhdGNoGAUgASgNEgwKBG1hc2sYBiABKAkqNQoE"
    "S2luZBIUChBLSU5EX1VOU1BFQ0lGSUVEEAASCQoFUVVFUlkQARIMCghNVVRBVElPThACOkcKB3NlcnZpY2USHy5n"
    "b29nbGUucHJvdG9idWYuU2VydmljZU9wdGlvbnMY974EIAEoCzITLmdhdGV3YXkudjEuU2VydmljZTpBCgVmaWVs"
    "ZBIdLmdvb2dsZS5wcm90b2J1Zi5GaWVsZE9wdGlvbnMY974EIAEoCzIRLmdhdGV3YXkudjEuRmllbGQ6RAoGbWV0"
    "aG9kEh4uZ29vZ2xlLnByb3RvYnVmLk1ldGhvZE9wdGlvbnMY974EIAEoCzISLmdhdGV3YXkudjEuTWV0aG9kOkEK"
    "BW9uZW9mEh0uZ29vZ2xlLnByb3RvYnVmLk9uZW9mT3B0aW9ucxj3vgQgASgLMhEuZ2F0ZXdheS52MS5PbmVvZmIG"
    "cHJvdG8z"
)

DESCRIPTOR = descriptor_pool.Default().AddSerializedFile(base64.b64decode(_SERIALIZED))

builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())
builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, __name__, globals())
