"""The wire format of protocol buffers: numbered fields, every length checked.

The format is described at https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Field(NamedTuple):
    """One field of a message."""

    number: int
    value: int | bytes
    """An integer for wire type 0, bytes for the wire types 1, 2 and 5."""
    encoded: bytes
    """Tag, length and all."""


def fields(message: bytes) -> Iterator[Field]:
    """The fields of a message, in the order in which they stand.

    Raises:
        ValueError: a field is cut off, or of a wire type that is out of use.
    """
    position = 0
    while position < len(message):
        start = position
        tag, position = _varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        value: int | bytes
        if wire_type == 0:
            value, position = _varint(message, position)
        else:
            if wire_type == 2:
                length, position = _varint(message, position)
            elif wire_type in (1, 5):
                length = 8 if wire_type == 1 else 4
            else:
                raise ValueError(f"wire type {wire_type} at byte {position}")
            if length > len(message) - position:
                raise ValueError(f"a field is cut off at byte {position}")
            value = message[position : position + length]
            position += length
        yield Field(number, value, message[start:position])


def as_bytes(value: int | bytes) -> bytes:
    """``value``, which has to be bytes; ValueError where it is a number."""
    if isinstance(value, int):
        raise ValueError("a number stands where bytes should")
    return value


def as_integer(value: int | bytes) -> int:
    """``value``, which has to be a number; ValueError where it is bytes."""
    if isinstance(value, bytes):
        raise ValueError("bytes stand where a number should")
    return value


def as_text(value: int | bytes) -> str:
    """``value``, which has to be UTF-8; ValueError where it is not."""
    return as_bytes(value).decode()


def encoded_varint(value: int) -> bytes:
    """A number that is not negative, as protocol buffers write it: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError(f"a number is cut off at byte {position}")
