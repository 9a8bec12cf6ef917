"""Bytes that are nearly right, for tests of what reads them."""

import random

BYTES = b'\x00\x01\x7f\x80\xff\xfe\xd9\x9f\xbf\x5f{}[]":,\\.-\n\t '
"""Those that mean something in the encodings there are."""


def mutated(data: bytes, rng: random.Random) -> bytes:
    """``data`` with a few bytes changed, taken away, put in, doubled, or cut off."""
    text = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(6):
            case 0 if at < len(text):
                text[at] = rng.randrange(256)
            case 1 if at < len(text):
                text[at] ^= 1 << rng.randrange(8)
            case 2:
                del text[at : at + rng.randrange(1, 9)]
            case 3:
                text[at:at] = bytes(rng.choices(BYTES, k=rng.randrange(1, 4)))
            case 4:
                start = rng.randrange(len(text) + 1)
                text[at:at] = text[start : start + rng.randrange(1, 20)]
            case _:
                del text[at:]
    return bytes(text)
