"""What the fields of a manifest are made of: the base of all tables, the mark of operational keys, common constraints."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

OPERATIONAL = "x-tsws-operational"
"""Key of ``Meta(extra_json_schema=...)`` that marks an operational field."""
OPERATIONAL_FIELD = {OPERATIONAL: True}
"""``Meta(extra_json_schema=...)`` of such a field."""

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a dataset, run... may be called: it becomes a file name."""

Sha256 = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}$",
        description="Expected SHA-256 of the fetched file, in hex.",
        extra={"expected": "64 hex digits in quotes, in lower case"},
    ),
]
PositiveInt = Annotated[int, Meta(ge=1)]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Beta = Annotated[float, Meta(ge=0.0, lt=1.0)]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables share: unknown keys are mistakes."""
