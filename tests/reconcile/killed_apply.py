"""A process that kills itself with SIGKILL in the middle of an apply: ``killed_apply.py ROOT KIND MOMENT``."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from reconcile_toys import CountingRule, TextRule, Workshop

from tsws.reconcile import make
from tsws.reconcile.resource import Making, Resource, Result
from tsws.reconcile.store import Store

MOMENTS = ("making", "made", "published", "copying", "recorded")


def die(*_: Any, **__: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def resources(workshop: Workshop, kind: str) -> list[Resource]:
    """A first thing of some kind, and one that is made from it."""
    if kind == "moved":
        first = workshop.thing("first", "once upon a time", outputs=("out/first.txt",))
    else:
        first = Resource("first", CountingRule(), {"steps": 5}, versions=".tsws/runs/first", outputs=("out/first.txt",))
    return [first, workshop.thing("second", "2", "first")]


def half_made(making: Making) -> Result:
    """What a rule leaves when it dies in the middle."""
    (making.folder / "text").write_text("onc")
    (making.folder / "checkpoint").write_text("3")
    die()


def half_copied(reader: Any, writer: Any, _: int) -> None:
    writer.write(reader.read(2))
    writer.flush()
    die()


def prepare(moment: str) -> None:
    if moment == "making":
        TextRule.make = CountingRule.make = lambda self, making: half_made(making)  # type: ignore[method-assign]
    elif moment == "made":
        make._publish = die
    elif moment == "published":
        Store.write = die  # type: ignore[method-assign]
    elif moment == "copying":
        shutil.copyfileobj = half_copied  # type: ignore[assignment]
    elif moment == "recorded":
        write = Store.write
        Store.write = lambda self, record: (write(self, record), die())  # type: ignore[method-assign, assignment, func-returns-value]


if __name__ == "__main__":
    prepare(sys.argv[3])
    workshop = Workshop(Path(sys.argv[1]))
    workshop.apply(resources(workshop, sys.argv[2]))
