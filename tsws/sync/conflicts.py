"""Saying what is in conflict, so that a person can decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tsws.errors import SyncConflict
from tsws.io.sizes import format_bytes
from tsws.sync.plan import SyncPlan
from tsws.sync.step import Step, Version


class ChangedMeanwhile(Exception):
    """A file is not the one that the plan was made for; it was left alone.

    Args:
        finding: what happened, such as "changed here while it was pulled".
    """


def check_conflicts(plan: SyncPlan) -> None:
    """Refuse a plan that would lose work.

    Raises:
        SyncConflict: names every path in conflict with the sizes and times of both sides.
    """
    if plan.conflicts:
        steps = plan.conflicts
        lines = [f"  {step.path}: {step.reason} ({_sides(step)})" for step in steps]
        count = "1 file conflicts" if len(steps) == 1 else f"{len(steps)} files conflict"
        path = steps[0].path
        raise SyncConflict(
            "\n".join([f"{count} with volume {plan.volume}; nothing was written:", *lines]),
            hint=f"`tsws sync --force --pull {path}` takes the volume's file, `tsws sync --force --push {path}` yours",
        )


def changed_meanwhile(volume: str, findings: Sequence[tuple[Step, ChangedMeanwhile]]) -> SyncConflict:
    """The error about files that changed between the plan and their turn."""
    lines = [f"  {step.path}: {finding}" for step, finding in findings]
    return SyncConflict(
        "\n".join([f"while syncing with volume {volume} these files changed, and were left as they are:", *lines]),
        hint="run `tsws sync` again: it looks at them anew; everything else was brought into step",
    )


def _sides(step: Step) -> str:
    return f"here {_figures(step.local)}; there {_figures(step.remote)}"


def _figures(version: Version | None) -> str:
    if version is None:
        return "nothing"
    return f"{format_bytes(version.size)} of {datetime.fromtimestamp(version.mtime):%Y-%m-%d %H:%M:%S}"
