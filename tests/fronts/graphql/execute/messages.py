"""Random messages of any type: large, cheap, and wrong in places.

A message is made of one seed and the share of its values that GraphQL can't write: numbers of enums
that have no name, NaN, infinities, times out of range.
"""

import math
import random

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

T = FieldDescriptor
_FULL = 0.75
_RANGES = {
    **dict.fromkeys((T.TYPE_INT32, T.TYPE_SINT32, T.TYPE_SFIXED32), (-(2**31), 2**31 - 1)),
    **dict.fromkeys((T.TYPE_INT64, T.TYPE_SINT64, T.TYPE_SFIXED64), (-(2**63), 2**63 - 1)),
    **dict.fromkeys((T.TYPE_UINT32, T.TYPE_FIXED32), (0, 2**32 - 1)),
    **dict.fromkeys((T.TYPE_UINT64, T.TYPE_FIXED64), (0, 2**64 - 1)),
}
_TEXTS = (
    "",
    "a",
    "p1",
    'quote " back \\ slash /',
    "\0\x1f\x7f\n\t",
    "ß€😀\u2028",
    "%s %d %",
    "null",
)
_FLOATS = (0.0, -0.0, 1.0, 4.3, -1e-7, 1e21, 1.5e300, 5e-324, 0.1, 123456789.0, 2.0**53)
_SINGLES = (0.0, -0.0, 4.3, 1e10, 16777216.0, 1.7e38, 1e-45, 0.1)
_ODD_FLOATS = (math.nan, math.inf, -math.inf)


def message_of(descriptor, seed, wrong=0.0, depth=4):
    """Makes a message.

    Args:
        descriptor: Its type.
        seed: All that varies.
        wrong: The share of values that can't be written.
        depth: How many messages may be in each other.
    """
    return _Maker(random.Random(seed), wrong).message(descriptor, depth)


class _Maker:
    def __init__(self, chance, wrong):
        self.chance, self.wrong = chance, wrong

    def message(self, descriptor, depth):
        message = GetMessageClass(descriptor)()
        special = getattr(self, "_" + descriptor.full_name.replace(".", "_"), None)
        if special is not None:
            special(message)
            return message
        for field in descriptor.fields:
            if not field.is_required and self.chance.random() > _FULL:
                continue
            if field.message_type is not None and depth <= 0 and not field.is_required:
                continue
            self._fill(message, field, depth)
        return message

    def _fill(self, message, field, depth):
        name, inner = field.name, field.message_type
        if not field.is_repeated:
            if inner is None:
                setattr(message, name, self._scalar(field))
            else:
                getattr(message, name).CopyFrom(self.message(inner, depth - 1))
            return
        into = getattr(message, name)
        for _ in range(self.chance.randrange(4)):
            if inner is None:
                into.append(self._scalar(field))
            elif not inner.GetOptions().map_entry:
                into.add().CopyFrom(self.message(inner, depth - 1))
            else:
                value = inner.fields_by_name["value"]
                key = self._scalar(inner.fields_by_name["key"])
                if value.message_type is None:
                    into[key] = self._scalar(value)
                else:
                    into[key].CopyFrom(self.message(value.message_type, depth - 1))

    def _scalar(self, field):
        chance = self.chance
        odd = chance.random() < self.wrong
        match field.type:
            case T.TYPE_STRING:
                return chance.choice(_TEXTS)
            case T.TYPE_BYTES:
                return chance.choice((b"", b"a", b"\xff\x00", b"\xfb\xef\xbe", b"abc"))
            case T.TYPE_BOOL:
                return chance.random() < 0.5
            case T.TYPE_DOUBLE:
                return chance.choice(_ODD_FLOATS if odd else _FLOATS)
            case T.TYPE_FLOAT:
                return chance.choice(_ODD_FLOATS if odd else _SINGLES)
            case T.TYPE_ENUM:
                known = [value.number for value in field.enum_type.values]
                return 99 if odd and not field.enum_type.is_closed else chance.choice(known)
        low, high = _RANGES[field.type]
        return chance.choice((low, high, max(low, -1), 0, 1, chance.randint(low, high)))

    def _google_protobuf_Timestamp(self, message):
        odd = self.chance.random() < self.wrong
        message.seconds = self.chance.choice(
            (-62_135_596_801, 253_402_300_800) if odd else (0, -1, 1_700_000_000, 253_402_300_799)
        )
        message.nanos = self.chance.choice((0, 1, 1000, 500_000_000, 999_999_999))

    def _google_protobuf_Duration(self, message):
        odd = self.chance.random() < self.wrong
        sign = self.chance.choice((1, -1))
        message.seconds = sign * (315_576_000_001 if odd else self.chance.choice((0, 1, 3600)))
        message.nanos = sign * self.chance.choice((0, 1, 1000, 500_000_000))

    def _google_protobuf_FieldMask(self, message):
        odd = self.chance.random() < self.wrong
        message.paths.extend(
            ["a__b", "C"] if odd else self.chance.sample(["title", "price.units", "a_b.c_d"], 2)
        )

    def _google_protobuf_Any(self, message):
        if self.chance.random() < self.wrong:
            message.type_url, message.value = "type.googleapis.com/no.Such", b"x"
            return
        pool = message.DESCRIPTOR.file.pool
        packed = pool.FindMessageTypeByName("google.protobuf.Duration")
        message.Pack(self.message(packed, 1) if not self.wrong else GetMessageClass(packed)())

    def _google_protobuf_Struct(self, message):
        for _ in range(self.chance.randrange(3)):
            self._google_protobuf_Value(message.fields[self.chance.choice(_TEXTS)])

    def _google_protobuf_ListValue(self, message):
        for _ in range(self.chance.randrange(3)):
            self._google_protobuf_Value(message.values.add())

    def _google_protobuf_Value(self, message):
        chance = self.chance
        match chance.randrange(7):
            case 0:
                message.null_value = 0
            case 1:
                odd = chance.random() < self.wrong
                message.number_value = chance.choice(_ODD_FLOATS if odd else _FLOATS)
            case 2:
                message.string_value = chance.choice(_TEXTS)
            case 3:
                message.bool_value = chance.random() < 0.5
            case 4:
                self._google_protobuf_Struct(message.struct_value)
            case 5:
                self._google_protobuf_ListValue(message.list_value)
