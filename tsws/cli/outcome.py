"""The last line of an apply, and its exit status."""

from __future__ import annotations

from tsws.cli.boundary import INTERRUPTED
from tsws.cli.words import count, enumeration
from tsws.errors import InterruptedByUser
from tsws.io.durations import format_duration
from tsws.reconcile.apply import Outcome, Report


def outcome(report: Report, *, stopped: bool) -> tuple[str, int]:
    """What an apply has come to, in one line, and the exit status.

    Args:
        report: what became of every resource.
        stopped: whether a person asked it to stop.
    """
    took = format_duration(report.seconds)
    done = count(len(report.done), "change")
    if report.ok:
        kept = sum(result.outcome is Outcome.KEPT for result in report.results)
        rest = f"; {count(kept, 'other')} up to date" if kept else ""
        return f"Done: {done} in {took}{rest}.", 0
    left = [result.address for result in report.results if result.outcome is Outcome.SKIPPED]
    failed = [result for result in report.failed if not isinstance(result.error, InterruptedByUser)]
    if not failed and (stopped or report.failed):
        begun = [result.address for result in report.failed]
        waits = enumeration([*begun, *left])
        return f"Stopped after {took}, {done} done; `tsws apply` continues with {waits}.", INTERRUPTED
    names = enumeration([result.address for result in failed])
    skipped = f" Not begun: {enumeration(left)}." if left else ""
    return f"Failed: {names}.{skipped} Done: {done} in {took}.", 1
