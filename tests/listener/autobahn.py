"""The cases of the Autobahn WebSocket test suite as data: what is sent, and what may come back.

Numbers are the suite's (github.com/crossbario/autobahn-testsuite). Here are sections 1 to 7 and 10,
which are bytes and answers; section 9 is of speed, and 12 and 13, of compression, are in the test.
The answers are those that the suite grades OK. It has two cases in which a frame must be refused
before it is whole (6.4.3 and 6.4.4): here, as it allows, that is after it (NON-STRICT). Where it
takes any answer (7.1.6, 7.13.1, 7.13.2: INFORMATIONAL), the usual one is wanted.
"""

from dataclasses import dataclass

from tests.listener.wire import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame, said

WHOLE, FRAMES, OCTETS = "in one write", "frame by frame", "octet by octet"


@dataclass(frozen=True)
class Answers:
    """A place in what is sent: wait there until so many frames have come back."""

    count: int


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        number: The suite's.
        sends: The client's frames, in order; with a wait of `Answers` where the suite waits.
        answers: Opcode and data of the frames that must come back, all but the last close.
        codes: The codes that the server's close may have; None is one without a code. The suite
            takes a connection cut without a word for them, too; here it must be said.
        chop: How it is written: WHOLE, FRAMES, OCTETS, or a number of bytes.
        fails: Whether the server is to end it; else the client closes when all is answered,
            unless `sends` has its close.
    """

    number: str
    sends: tuple
    answers: tuple = ()
    codes: tuple = (1000,)
    chop: object = WHOLE
    fails: bool = False


CASES = []


def case(number, *sends, answers=(), codes=(1000,), chop=WHOLE, fails=False):
    CASES.append(Case(number, sends, tuple(answers), tuple(codes), chop, fails))


def echoed(number, *sends, answers, chop=WHOLE):
    """A case that is all legal."""
    case(number, *sends, answers=answers, chop=chop)


def failed(number, *sends, answers=(), codes=(1002,), chop=WHOLE):
    """A case that the server ends, after it has answered what came before."""
    case(number, *sends, answers=answers, codes=codes, chop=chop, fails=True)


def closing(number, *sends, answers=(), codes=(1000,), chop=WHOLE):
    """A case whose frames have the client's close among them."""
    case(number, *sends, answers=answers, codes=codes, chop=chop, fails=True)


def fragments(*parts, opcode=TEXT):
    """A message, a fragment each part."""
    last = len(parts) - 1
    return [frame(CONT if at else opcode, part, fin=at == last) for at, part in enumerate(parts)]


def octets(data):
    return [data[at : at + 1] for at in range(len(data))]


HELLO = b"Hello, world!"
ODD = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
NORMAL = frame(CLOSE, said(1000))

# 1 Framing.

SIZES = (0, 125, 126, 127, 128, 65_535, 65_536)
for section, opcode, octet in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
    for at, size in enumerate(SIZES, 1):
        data = octet * size
        echoed(f"1.{section}.{at}", frame(opcode, data), answers=[(opcode, data)])
    data = octet * SIZES[-1]
    echoed(f"1.{section}.8", frame(opcode, data), answers=[(opcode, data)], chop=997)

# 2 Pings and pongs.

TEN = [b"payload-%d" % n for n in range(10)]
UNASKED = frame(PONG, b"unsolicited pong payload")
echoed("2.1", frame(PING), answers=[(PONG, b"")])
echoed("2.2", frame(PING, HELLO), answers=[(PONG, HELLO)])
echoed("2.3", frame(PING, ODD), answers=[(PONG, ODD)])
echoed("2.4", frame(PING, b"\xfe" * 125), answers=[(PONG, b"\xfe" * 125)])
failed("2.5", frame(PING, b"\xfe" * 126))
echoed("2.6", frame(PING, b"\xfe" * 125), answers=[(PONG, b"\xfe" * 125)], chop=OCTETS)
closing("2.7", frame(PONG), NORMAL)
closing("2.8", UNASKED, NORMAL)
echoed("2.9", UNASKED, frame(PING, b"ping payload"), answers=[(PONG, b"ping payload")])
for number, chop in (("2.10", WHOLE), ("2.11", OCTETS)):
    pings = [frame(PING, data) for data in TEN]
    echoed(number, *pings, answers=[(PONG, data) for data in TEN], chop=chop)

# 3 Reserved bits.

failed("3.1", frame(TEXT, HELLO, rsv=1))
for number, rsv, chop in (("3.2", 2, WHOLE), ("3.3", 3, FRAMES), ("3.4", 4, OCTETS)):
    broken = [frame(TEXT, HELLO), frame(TEXT, HELLO, rsv=rsv), frame(PING)]
    failed(number, *broken, answers=[(TEXT, HELLO)], chop=chop)
failed("3.5", frame(BINARY, ODD, rsv=5))
failed("3.6", frame(PING, HELLO, rsv=6))
failed("3.7", frame(CLOSE, rsv=7))

# 4 Opcodes.

for section, reserved in ((1, (3, 4, 5, 6, 7)), (2, (11, 12, 13, 14, 15))):
    bare, filled, third, fourth, fifth = reserved
    failed(f"4.{section}.1", frame(bare))
    failed(f"4.{section}.2", frame(filled, b"reserved opcode payload"))
    for at, broken, chop in (
        (3, frame(third), WHOLE),
        (4, frame(fourth, HELLO), WHOLE),
        (5, frame(fifth, HELLO), OCTETS),
    ):
        failed(
            f"4.{section}.{at}",
            frame(TEXT, HELLO),
            broken,
            frame(PING),
            answers=[(TEXT, HELLO)],
            chop=chop,
        )

# 5 Fragmentation.

ONE, TWO, THREE, FOUR, FIVE = (b"fragment%d" % n for n in range(1, 6))
STRAY = b"non-continuation payload"
failed("5.1", frame(PING, ONE, fin=False), frame(CONT, TWO))
failed("5.2", frame(PONG, ONE, fin=False), frame(CONT, TWO))
for number, chop in (("5.3", WHOLE), ("5.4", FRAMES), ("5.5", OCTETS)):
    echoed(number, *fragments(ONE, TWO), answers=[(TEXT, ONE + TWO)], chop=chop)
for number, chop in (("5.6", WHOLE), ("5.7", FRAMES), ("5.8", OCTETS)):
    first, second = fragments(ONE, TWO)
    answers = [(PONG, b"ping payload"), (TEXT, ONE + TWO)]
    echoed(number, first, frame(PING, b"ping payload"), second, answers=answers, chop=chop)
for numbers, fin in ((("5.9", "5.10", "5.11"), True), (("5.12", "5.13", "5.14"), False)):
    for number, chop in zip(numbers, (WHOLE, FRAMES, OCTETS), strict=True):
        failed(number, frame(CONT, STRAY, fin=fin), frame(TEXT, HELLO), chop=chop)
failed(
    "5.15",
    *fragments(ONE, TWO),
    frame(CONT, THREE, fin=False),
    frame(TEXT, FOUR),
    answers=[(TEXT, ONE + TWO)],
)
for number, fin in (("5.16", False), ("5.17", True)):
    failed(number, *[frame(CONT, ONE, fin=fin), *fragments(TWO, THREE)] * 2)
failed("5.18", frame(TEXT, ONE, fin=False), frame(TEXT, TWO))
for number, chop in (("5.19", WHOLE), ("5.20", FRAMES)):
    first, second, third, fourth, fifth = fragments(ONE, TWO, THREE, FOUR, FIVE)
    echoed(
        number,
        *(first, second, frame(PING, b"pongme 1!")),
        Answers(1),
        *(third, fourth, frame(PING, b"pongme 2!"), fifth),
        answers=[
            (PONG, b"pongme 1!"),
            (PONG, b"pongme 2!"),
            (TEXT, ONE + TWO + THREE + FOUR + FIVE),
        ],
        chop=chop,
    )

# 6 UTF-8.

MIDDLE = b"middle frame payload"
echoed("6.1.1", frame(TEXT), answers=[(TEXT, b"")])
echoed("6.1.2", *fragments(b"", b"", b""), answers=[(TEXT, b"")])
echoed("6.1.3", *fragments(b"", MIDDLE, b""), answers=[(TEXT, MIDDLE)])

MIXED = ("Hello-µ@ßöä".encode(), "üàá-UTF-8!!".encode())
KOSME = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
echoed("6.2.1", frame(TEXT, b"".join(MIXED)), answers=[(TEXT, b"".join(MIXED))])
echoed("6.2.2", *fragments(*MIXED), answers=[(TEXT, b"".join(MIXED))])
echoed("6.2.3", *fragments(*octets(b"".join(MIXED))), answers=[(TEXT, b"".join(MIXED))])
echoed("6.2.4", *fragments(*octets(KOSME)), answers=[(TEXT, KOSME)])

EDITED = KOSME + b"\xed\xa0\x80" + b"edited"  # wrong from the byte 12 on
failed("6.3.1", frame(TEXT, EDITED), codes=[1007])
failed("6.3.2", *fragments(*octets(EDITED)), codes=[1007])

# The third part is never sent: the second is enough.
BEYOND = KOSME + b"\xf4\x90\x80\x80" + b"edited"
SPLITS = ((BEYOND[:11], BEYOND[11:15], BEYOND[15:]), (BEYOND[:12], BEYOND[12:13], BEYOND[13:]))
for number, parts in zip(("6.4.1", "6.4.2"), SPLITS, strict=True):
    failed(number, *fragments(*parts)[:2], codes=[1007], chop=FRAMES)
for number in ("6.4.3", "6.4.4"):
    failed(number, frame(TEXT, BEYOND), codes=[1007], chop=OCTETS)

CUT_SHORT = (
    *(b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80"),
    *(b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"),
)
LONELY = ((0xC0, 0xDF), (0xE0, 0xEF), (0xF0, 0xF7), (0xF8, 0xFB), (0xFC, 0xFD))
SURROGATES = (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf")
NO_CHARACTERS = [
    bytes([first, second, 0xBF, third])
    for first in (0xF0, 0xF1, 0xF2, 0xF3, 0xF4)
    for second in (0x8F, 0x9F, 0xAF, 0xBF)
    for third in (0xBE, 0xBF)
    if (first, second) != (0xF0, 0x8F)  # overlong
    and (first != 0xF4 or second == 0x8F)  # beyond Unicode
]
VALID, INVALID = True, False
UTF8 = {
    # Correct text, and its beginnings.
    "6.5": [
        (VALID, [b"hello$world", b"hello\xc2\xa2world", b"hello\xe2\x82\xacworld"]),
        (VALID, [b"hello\xf0\xa4\xad\xa2world", KOSME]),
    ],
    "6.6": [(len(KOSME[:n]) in {2, 5, 7, 9, 11}, [KOSME[:n]]) for n in range(1, 12)],
    # The first and the last of each length, and around.
    "6.7": [(VALID, [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"])],
    "6.8": [(INVALID, [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"])],
    "6.9": [(VALID, [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"])],
    "6.10": [
        (INVALID, [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"])
    ],
    "6.11": [
        (VALID, [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"]),
        (INVALID, [b"\xf4\x90\x80\x80"]),
    ],
    # Continuations without a start, starts without one, and impossible bytes.
    "6.12": [
        (INVALID, [b"\x80", b"\xbf", *((b"\x80\xbf" * 3)[:n] for n in range(2, 7))]),
        (INVALID, [bytes(range(0x80, 0xBF))]),
    ],
    "6.13": [(INVALID, [b"".join(b"%c " % c for c in range(*span)) for span in LONELY])],
    "6.14": [(INVALID, CUT_SHORT)],
    "6.15": [(INVALID, [b"".join(CUT_SHORT)])],
    "6.16": [(INVALID, [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"])],
    # More bytes than are needed.
    "6.17": [
        (INVALID, [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf"]),
        (INVALID, [b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"]),
    ],
    "6.18": [
        (INVALID, [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf"]),
        (INVALID, [b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"]),
    ],
    "6.19": [
        (INVALID, [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80"]),
        (INVALID, [b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"]),
    ],
    # Surrogates, alone and in pairs.
    "6.20": [(INVALID, [*SURROGATES, b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf"])],
    "6.21": [
        (INVALID, [high + low for high in SURROGATES for low in (b"\xed\xb0\x80", b"\xed\xbf\xbf")])
    ],
    # What is no character, and specials: valid UTF-8.
    "6.22": [(VALID, [b"\xef\xbf\xbe", b"\xef\xbf\xbf", *NO_CHARACTERS])],
    "6.23": [(VALID, [bytes([0xEF, 0xBF, last]) for last in range(0xB9, 0xC0)])],
}
for section, groups in UTF8.items():
    rows = [(valid, data) for valid, sequences in groups for data in sequences]
    for at, (valid, data) in enumerate(rows, 1):
        if valid:
            echoed(f"{section}.{at}", frame(TEXT, data), answers=[(TEXT, data)])
        else:
            failed(f"{section}.{at}", frame(TEXT, data), codes=[1007])

# 7 Closing.

WORLD = b"Hello World!"
LONG = (b"BAsd7&jh23" * 26_215)[: 256 * 1024]
first, second = fragments(ONE, TWO)
echoed("7.1.1", frame(TEXT, WORLD), answers=[(TEXT, WORLD)])
closing("7.1.2", NORMAL, frame(CLOSE))
closing("7.1.3", NORMAL, frame(PING))
closing("7.1.4", NORMAL, frame(TEXT, WORLD))
closing("7.1.5", first, NORMAL, second)
closing(
    "7.1.6",
    *(frame(TEXT, LONG), frame(TEXT, WORLD), NORMAL, frame(PING)),
    answers=[(TEXT, LONG), (TEXT, WORLD)],
)
closing("7.3.1", frame(CLOSE), codes=[None])
closing("7.3.2", frame(CLOSE, b"a"), codes=[1002])
closing("7.3.3", NORMAL)
closing("7.3.4", frame(CLOSE, said(1000, WORLD)))
closing("7.3.5", frame(CLOSE, said(1000, b"*" * 123)))
closing("7.3.6", frame(CLOSE, said(1000, b"*" * 124)), codes=[1002])
closing("7.5.1", frame(CLOSE, said(1000, EDITED)), codes=[1002, 1007])
GOOD = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
for at, code in enumerate(GOOD, 1):
    closing(f"7.7.{at}", frame(CLOSE, said(code)), codes=[1000, code])
for at, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
    closing(f"7.9.{at}", frame(CLOSE, said(code)), codes=[1002])
for at, code in enumerate((5000, 65_535), 1):  # INFORMATIONAL: RFC 6455 is silent
    closing(f"7.13.{at}", frame(CLOSE, said(code)), codes=[1000, code, 1002])

# 10 A message in 51 fragments.

STARS = b"*" * 65_536
parts = [STARS[at : at + 1300] for at in range(0, len(STARS), 1300)]
echoed("10.1.1", *fragments(*parts), answers=[(TEXT, STARS)])
