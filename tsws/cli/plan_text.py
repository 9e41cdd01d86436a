"""A plan as lines. Pure: the plan in, text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from tsws.cli.words import count, estimate_words, figures, value_words
from tsws.reconcile.action import Action, Change, Plan

COLORS = {
    Change.CREATE: "green",
    Change.UPDATE: "yellow",
    Change.EXTEND: "yellow",
    Change.RESTORE: "yellow",
    Change.REPAIR: "yellow",
    Change.SYNC: "yellow",
    Change.PENDING: "cyan",
    Change.BLOCKED: "red",
    Change.ORPHAN: "red",
}
_COUNTED = {
    Change.CREATE: "to create",
    Change.UPDATE: "to update",
    Change.EXTEND: "to extend",
    Change.RESTORE: "to restore",
    Change.REPAIR: "to repair",
    Change.SYNC: "to bring into step",
    Change.PENDING: "to decide on the way",
}
_NOT_DONE = {Change.KEEP: "unchanged", Change.BLOCKED: "blocked", Change.ORPHAN: "no longer declared"}
_STEP = "    "


def plan_lines(plan: Plan, *, verbose: bool = False) -> list[str]:
    """A line a change with its symbol, address, reason and estimate; below it what changed, and its parts.

    Args:
        plan: what would be done.
        verbose: show what stays as it is, too.
    """
    shown = [action for action in plan if verbose or action.change is not Change.KEEP]
    width = max((len(action.address) for action in shown), default=0)
    lines = [line for action in shown for line in _lines(action, width, verbose=verbose)]
    kept = sum(action.change is Change.KEEP for action in plan)
    if kept and not verbose and lines:
        lines.append(click.style(f"  {Change.KEEP.symbol} {count(kept, 'other')} unchanged", dim=True))
    return lines


def summary(plan: Plan) -> str:
    """``Plan: 3 to create, 1 to update; 2 unchanged. About 1m 20s, 12 MB, $0.12.``"""
    counts = Counter(action.change for action in plan)
    left = [f"{counts[change]} {words}" for change, words in _NOT_DONE.items() if counts[change]]
    if not plan.changes:
        if set(counts) <= {Change.KEEP}:
            return nothing_to_do(plan)
        return f"Nothing to do; {', '.join(left)}."
    todo = [f"{counts[change]} {words}" for change, words in _COUNTED.items() if counts[change]]
    text = f"Plan: {'; '.join(part for part in (', '.join(todo), ', '.join(left)) if part)}."
    total = _total(plan)
    return f"{text} About {total}." if total else text


def nothing_to_do(plan: Plan) -> str:
    """What an apply says that finds everything as it should be."""
    number = len(plan.actions)
    return f"Nothing to do: {count(number, 'resource')} {'is' if number == 1 else 'are'} up to date."


def _total(plan: Plan) -> str:
    estimates = [action.estimate for action in plan.changes if action.estimate is not None]
    seconds = [estimate.seconds for estimate in estimates if estimate.seconds is not None]
    return figures(
        sum(seconds) if seconds else None,
        sum(estimate.bytes or 0 for estimate in estimates),
        sum(estimate.dollars or 0.0 for estimate in estimates),
    )


def _lines(action: Action, width: int, *, verbose: bool, indent: str = "  ") -> Iterator[str]:
    dim = True if action.change is Change.KEEP else None
    symbol = click.style(action.change.symbol, fg=COLORS.get(action.change), bold=not dim, dim=dim)
    takes = estimate_words(action.estimate)
    end = click.style(f"  ({takes})", dim=True) if takes else ""
    yield f"{indent}{symbol} {click.style(action.address.ljust(width), dim=dim)}  {action.reason}{end}".rstrip()
    below = indent + _STEP
    for field in action.fields:
        yield f"{below}{field.path}: {value_words(field.old)} -> {value_words(field.new)}"
    if action.hint:
        yield f"{below}{click.style('hint:', fg='cyan')} {action.hint}"
    parts = [part for part in action.parts if verbose or part.change is not Change.KEEP]
    part_width = max((len(part.address) for part in parts), default=0)
    for part in parts:
        yield from _lines(part, part_width, verbose=verbose, indent=below)
