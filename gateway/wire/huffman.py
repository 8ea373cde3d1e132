"""Huffman decoding of HPACK's strings (RFC 7541 section 5.2 and appendix B).

Walks the code a byte at a time: what a byte yields in a state of the walk is worked out once and
kept, so that common text costs one look-up a byte. There is no encoder: strings may be sent plain.
"""

from __future__ import annotations

from typing import Final

# Appendix B: the bits of each symbol's code, 0 to 255 and then EOS. The code is canonical, that is
# given by the lengths: symbols in order of length and value, codes counted up.
_LENGTHS: Final = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c"
    "060a0a0c0d06080b0a0a080b080606060505050606060606060607080f060c0a"
    "0d06070707070707070707070707070707070707070707070807080d130d0e06"
    "0f05060506050606060507070606060506070605050607070707070f0b0e0d1c"
    "1416141416161617161717171717181718181617181717171715161716171718"
    "1615141616171715171616181516171715151615171617171416161617161617"
    "1a1a1413161716191a1a1a1b1b1a181913151a1b1b1a1b1815151a1a1c1b1b1b"
    "14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c1b1b1b1b1b1a"
    "1e"
)
_EOS: Final = 256
_ROOT: Final = 1

# Steps kept. 256 nodes times 256 bytes are possible; text takes a few hundred.
_MOST_STEPS: Final = 16_384


def _tree() -> dict[int, int]:
    """Returns symbols by code, each code written with a 1 before its bits."""
    codes: dict[int, int] = {}
    code, length = 0, 0
    for symbol in sorted(range(len(_LENGTHS)), key=lambda symbol: (_LENGTHS[symbol], symbol)):
        code <<= _LENGTHS[symbol] - length
        length = _LENGTHS[symbol]
        codes[1 << length | code] = symbol
        code += 1
    return codes


_SYMBOLS: Final = _tree()
# A walk stands on a node, named by the bits since the last symbol with a 1 before them. It may end
# where these are fewer than 8 bits, all of them ones: the padding (section 5.2).
_MAY_END: Final = frozenset((1 << bits + 1) - 1 for bits in range(8))
_steps: dict[int, tuple[bytes, int]] = {}


def decode(data: bytes) -> bytes:
    """Returns the decoded string.

    Raises:
        ValueError: It is no Huffman-coded string: it holds EOS, or wrong padding.
    """
    steps, node, out = _steps, _ROOT, b""
    for byte in data:
        step = steps.get(node << 8 | byte) or _step(node, byte)
        out += step[0]
        node = step[1]
    if node not in _MAY_END:
        raise ValueError("the padding is not the beginning of EOS")
    return out


def _step(node: int, byte: int) -> tuple[bytes, int]:
    """Walks the eight bits of a byte: what they complete, and where the walk stands then."""
    key, out = node << 8 | byte, bytearray()
    for bit in range(7, -1, -1):
        node = node << 1 | byte >> bit & 1
        symbol = _SYMBOLS.get(node)
        if symbol is not None:
            if symbol == _EOS:
                raise ValueError("EOS stands in the string")
            out.append(symbol)
            node = _ROOT
    if len(_steps) >= _MOST_STEPS:
        _steps.clear()
    step = _steps[key] = bytes(out), node
    return step
