"""Asking before something is spent or thrown away."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from tsws.cli.narrator import on_terminal
from tsws.cli.words import enumeration
from tsws.errors import InterruptedByUser, TswsError
from tsws.io.sizes import format_dollars
from tsws.reconcile.action import Change, Plan
from tsws.workspace.spending import spending


def reasons(plan: Plan) -> list[str]:
    """What a person has to agree to before a plan is carried out: what it spends, and what there is that it makes anew."""
    found = []
    cost = spending(plan)
    if cost.dollars > 0:
        found.append(f"it spends about {format_dollars(cost.dollars)}")
    if cost.unbounded:
        rate = format_dollars(cost.dollars_per_hour)
        most = "" if cost.most_dollars is None else f", at most {format_dollars(cost.most_dollars)}"
        found.append(f"{enumeration(cost.unbounded)} spends {rate} an hour, for a time that was never measured{most}")
    anew = [action.address for action in plan.changes if action.anew and action.change is not Change.CREATE]
    if anew:
        found.append(f"it makes {enumeration(anew)} anew")
    return found


def confirm(why: Sequence[str], *, yes: bool) -> None:
    """Ask a person, when there is a reason to.

    Args:
        why: what is to be agreed to; nothing is asked without one.
        yes: ``-y`` was given.

    Raises:
        TswsError: there is no terminal to ask on.
        InterruptedByUser: the answer was no.
    """
    if not why or yes:
        return
    what = "; ".join(why)
    if not (sys.stdin.isatty() and on_terminal()):
        raise TswsError(f"this has to be agreed to: {what}", hint="add -y to agree")
    if not click.confirm(f"{what[0].upper()}{what[1:]}. Go on?", default=False):
        raise InterruptedByUser("nothing was done")
