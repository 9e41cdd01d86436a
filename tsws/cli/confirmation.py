"""Asking before something is spent or thrown away."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from tsws.cli.narrator import on_terminal
from tsws.errors import InterruptedByUser, TswsError


def confirm(reasons: Sequence[str], *, yes: bool, question: str = "Go on?") -> None:
    """Ask a person, when there is a reason to.

    Args:
        reasons: what is to be agreed to; nothing is asked without one.
        yes: ``-y`` was given.
        question: to ask.

    Raises:
        TswsError: there is no terminal to ask on.
        InterruptedByUser: the answer was no.
    """
    if not reasons or yes:
        return
    what = "; ".join(reasons)
    if not (sys.stdin.isatty() and on_terminal()):
        raise TswsError(f"this has to be agreed to: {what}", hint="add -y to agree")
    if not click.confirm(f"{what[0].upper()}{what[1:]}. {question}", default=False):
        raise InterruptedByUser("nothing was done")
