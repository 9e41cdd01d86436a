"""Types and values in people's words, for reports and for the reference."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

from tsws.manifest.problems import quoted

_LONGEST = 40
"""Characters of a value that a report shows."""
_NEAR = 0.65
"""Similarity (of :mod:`difflib`) from which a name is suggested: `warmup` is near `warmup_iters`, `modal` not `local`."""
_MOST_NAMES = 12
"""Valid names that a report lists when none of them is near."""


_PLAIN: dict[type[inspect.Type], str] = {
    inspect.AnyType: "any value",
    inspect.BoolType: "true or false",
    inspect.DictType: "a table",
    inspect.StrType: "text in quotes",
    inspect.StructType: "a table",
}


def expected(type_: inspect.Type) -> str:
    """What a value of a type is: "a whole number of at least 1", "one of cosine, wsd, constant".

    ``Meta(extra={"expected": "..."})`` gives a type words of its own.
    """
    match type_:
        case inspect.Metadata(extra=extra, type=inner):
            words = str(extra["expected"]) if extra and "expected" in extra else expected(inner)
        case inspect.UnionType(types=types):
            words = " or ".join(expected(inner) for inner in types if not isinstance(inner, inspect.NoneType))
        case inspect.LiteralType(values=values):
            names = ", ".join(sorted(str(value) for value in values))
            words = names if len(values) == 1 else f"one of {names}"
        case inspect.IntType():
            words = _number("a whole number", type_)
        case inspect.FloatType():
            words = _number("a number", type_)
        case inspect.ListType(item_type=inspect.AnyType()) | inspect.VarTupleType(item_type=inspect.AnyType()):
            words = "a list"
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            words = f"a list, each {expected(item)}"
        case inspect.StrType(min_length=1):
            words = "text in quotes, not empty"
        case _:
            words = _PLAIN.get(type(type_)) or f"a {type(type_).__name__.removesuffix('Type').lower()}"
    return words


def _number(noun: str, type_: inspect.IntType | inspect.FloatType) -> str:
    low = f"at least {_figure(type_.ge)}" if type_.ge is not None else ""
    high = f"at most {_figure(type_.le)}" if type_.le is not None else ""
    if type_.gt is not None:
        low = f"more than {_figure(type_.gt)}"
    if type_.lt is not None:
        high = f"less than {_figure(type_.lt)}"
    if type_.ge is not None and type_.le is not None:
        return f"{noun} from {_figure(type_.ge)} to {_figure(type_.le)}"
    bounds = " and ".join(bound for bound in (low, high) if bound)
    if not bounds:
        return noun
    return f"{noun} of {bounds}"


def _figure(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def found(value: Any) -> str:
    """A value as a report shows it: short, on one line, texts in quotes."""
    match value:
        case bool():
            words = "true" if value else "false"
        case str():
            words = quoted(value if len(value) <= _LONGEST else value[:_LONGEST] + "...")
        case int():
            words = str(value) if value.bit_length() <= 128 else "a huge number"
        case float():
            words = str(value)
        case dict():
            words = "a table"
        case list():
            words = "a list" if value else "an empty list"
        case datetime.date() | datetime.time():
            words = "a date or time"
        case _:
            words = "nothing" if value is None else f"a {type(value).__name__}"
    return words


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that a mistyped one most likely means, or None when none is near."""
    folded: dict[str, str] = {}
    for candidate in valid:
        folded.setdefault(_fold(candidate), candidate)
    close = get_close_matches(_fold(name)[:100], folded, n=1, cutoff=_NEAR)
    return folded[close[0]] if close else None


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """``; did you mean `n_layers`?`` or, when nothing is near, what there is."""
    names = sorted(valid)
    near = nearest(name, names)
    if near is not None:
        return f"; did you mean `{near}`?"
    if len(names) > _MOST_NAMES:
        return "; `tsws schema` has all there are"
    verb = "is" if len(names) == 1 else "are"
    return f"; there {verb} {listed(names)}" if names else ""


def listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")
