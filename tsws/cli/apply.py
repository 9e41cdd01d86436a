"""``tsws apply``."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from tsws.cli.options import set_option, target_options
from tsws.cli.session import Command, Session

if TYPE_CHECKING:
    from tsws.reconcile.action import Plan
    from tsws.workspace import Workspace


@click.command("apply", cls=Command)
@target_options
@set_option
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@click.option("-y", "--yes", is_flag=True, help="Agree to what would be asked.")
@click.option("--jobs", type=click.IntRange(min=1), default=4, metavar="N", help="Actions at once; 4.")
@click.option("--keep-going", is_flag=True, help="After a failure, do what does not depend on it.")
@click.option("--max-cost", type=click.FloatRange(min=0), metavar="DOLLARS", help="Spend no more: refuse, or stop.")
@click.pass_context
def command(
    context: click.Context,
    addresses: tuple[str, ...],
    everything: bool,
    replace: tuple[str, ...],
    refresh: bool,
    overrides: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    jobs: int,
    keep_going: bool,
    max_cost: float | None,
) -> None:
    """Make everything that the manifest declares and that is missing or stale.

    Without an ADDRESS that is what `[workspace] default` names. Spending and replacing ask first. Ctrl-C stops
    after a checkpoint, or leaves what runs on machines elsewhere to itself; the next apply continues.
    """
    from tsws.cli.confirmation import confirm, reasons
    from tsws.cli.limit import mention_limit
    from tsws.cli.narrator import narrating
    from tsws.cli.outcome import outcome
    from tsws.cli.plan_text import plan_lines, summary
    from tsws.cli.stopping import ASKED, ASKED_FAR, stoppable
    from tsws.workspace.spending import check_spending

    session: Session = context.obj
    workspace = session.open(overrides)
    plan = workspace.plan(addresses or None, everything=everything, replace=replace, refresh=refresh)
    if not (refresh or dry_run) and _goes_far(workspace, plan):
        # What is agreed to is what will be done: by what is there now, at today's prices.
        plan = workspace.plan(addresses or None, everything=everything, replace=replace, refresh=True)
    mention_limit(session, workspace, plan)
    for line in [*lines, ""] if (lines := plan_lines(plan, verbose=session.verbose)) else []:
        session.say(line)
    if dry_run or not (plan.changes or plan.blocked):
        click.echo(summary(plan))
        context.exit(1 if plan.blocked else 0)
    session.say(summary(plan))
    _refuse_blocked(plan, keep_going=keep_going)
    check_spending(plan, max_cost)
    confirm(reasons(plan), yes=yes)
    session.say()
    with stoppable(ASKED_FAR if _outlives(workspace, plan) else ASKED) as stop, narrating(session) as emit:
        report = workspace.apply(
            addresses or None,
            everything=everything,
            replace=replace,
            jobs=jobs,
            keep_going=keep_going,
            max_cost=max_cost,
            emit=emit,
            stop=stop,
            purpose=shlex.join(["tsws", *sys.argv[1:]]),
        )
        stopped = stop()
    for fault in workspace.plugins.faults:
        session.warn(fault)
    line, status = outcome(report, stopped=stopped)
    click.echo(line)
    context.exit(status)


def _runs(plan: Plan) -> list[str]:
    return [action.address.removeprefix("run.") for action in plan if action.address.startswith("run.")]


def _goes_far(workspace: Workspace, plan: Plan) -> bool:
    from tsws.workspace.syncing import are_far, volumes_of

    return are_far(workspace.context, volumes_of(workspace.context, _runs(plan)))


def _outlives(workspace: Workspace, plan: Plan) -> bool:
    """Whether a run goes on when its client leaves."""
    from tsws.workspace.machines import backend_of_run

    acting = [action.address.removeprefix("run.") for action in plan.changes if action.address.startswith("run.")]
    return any(backend_of_run(workspace.context, name).outlives_client for name in acting)


def _refuse_blocked(plan: Plan, *, keep_going: bool) -> None:
    from tsws.cli.words import enumeration
    from tsws.errors import PlanError

    if not plan.blocked or (keep_going and plan.changes):
        return
    names = [action.address for action in plan.blocked]
    is_are = "is" if len(names) == 1 else "are"
    cause = next((action for action in plan.blocked if action.hint), plan.blocked[0])
    hints = [cause.hint, "--keep-going does the rest" if plan.changes else None]
    raise PlanError(
        f"{enumeration(names)} {is_are} blocked, so nothing was done: {cause.reason}",
        hint="; ".join(filter(None, hints)) or None,
    )
