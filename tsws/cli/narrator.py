"""Who tells a person what an apply does: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import click

from tsws.cli.lines import Lines
from tsws.cli.session import Session
from tsws.job import Emit


def on_terminal() -> bool:
    """Whether a person sees what is printed, and can answer."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def narrating(session: Session) -> Iterator[Emit]:
    """The ``emit`` callback for the time of an apply."""
    if session.quiet or not on_terminal():
        # Events come from several threads, and only the first knows the call's context with its colours.
        out = partial(click.echo, color=False if session.no_color else None)
        yield Lines(out, partial(out, err=True), quiet=session.quiet, verbose=session.verbose).emit
        return
    from rich.console import Console

    from tsws.cli.live import LiveView

    console = Console(highlight=False, no_color=session.no_color or None)
    with LiveView(console, verbose=session.verbose) as view:
        yield view.emit
