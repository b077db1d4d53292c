"""A screenshot as a smaller PNG of at most 256 colours.

Chromium writes three bytes for each pixel; a page has few colours but those of the edges of its
letters, and nobody sees those moved to the nearest of the 255 that are used most.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_COLOURS = 256

Colour = tuple[int, int, int]


def shrink_png(data: bytes) -> bytes:
    """Give the picture with a palette.

    Args:
        data: A PNG as Chromium writes it: 8 bits for a channel, RGB or RGBA, not interlaced.

    Raises:
        ValueError: It is another kind of PNG.
    """
    width, height, pixels = _read(data)
    counts = Counter(pixels)
    palette = [colour for colour, _ in counts.most_common(_MOST_COLOURS)]
    places = {colour: place for place, colour in enumerate(palette)}
    for colour in counts:
        if colour not in places:
            places[colour] = places[min(palette, key=lambda known: _distance(known, colour))]
    indices = bytes(places[pixel] for pixel in pixels)
    rows = b"".join(b"\0" + indices[y * width : (y + 1) * width] for y in range(height))
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(bytes(colour) for colour in palette)),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _distance(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _read(data: bytes) -> tuple[int, int, list[Colour]]:
    """Give width, height and the pixels, row by row."""
    head = b""
    packed = b""
    for kind, content in _chunks(data):
        if kind == b"IHDR":
            head = content
        elif kind == b"IDAT":
            packed += content
    width, height, depth, kind_of_colour, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if depth != 8 or kind_of_colour not in (2, 6) or interlaced:
        raise ValueError("Not a PNG as Chromium writes it.")
    size = 3 if kind_of_colour == 2 else 4
    raw = zlib.decompress(packed)
    stride = width * size
    pixels: list[Colour] = []
    above = bytes(stride)
    for y in range(height):
        start = y * (stride + 1)
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], above, size)
        pixels += zip(above[0::size], above[1::size], above[2::size], strict=True)
    return width, height, pixels


def _unfiltered(kind: int, filtered: bytes, above: bytes, size: int) -> bytes:
    """Undo one row's filter (PNG specification, section 9)."""
    if kind == 0:
        return filtered
    if kind == 2:
        return bytes((a + b) & 255 for a, b in zip(filtered, above, strict=True))
    row = bytearray(filtered)
    for x in range(len(row)):
        left = row[x - size] if x >= size else 0
        up, corner = above[x], above[x - size] if x >= size else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + up) // 2
        else:
            by = left + up - corner
            guess = min((left, up, corner), key=lambda near: abs(by - near))
        row[x] = (row[x] + guess) & 255
    return bytes(row)
