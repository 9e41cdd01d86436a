"""``tsws plan``."""

from __future__ import annotations

import click

from tsws.cli.options import set_option, target_options
from tsws.cli.session import Command, Session

CHANGES = 2
"""Exit status of ``--detailed-exitcode`` when there is something to do."""


@click.command("plan", cls=Command)
@target_options
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of lines.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 0: nothing to do, 1: error or blocked, 2: changes.")
@click.pass_context
def command(
    context: click.Context,
    addresses: tuple[str, ...],
    everything: bool,
    replace: tuple[str, ...],
    refresh: bool,
    overrides: tuple[str, ...],
    as_json: bool,
    detailed_exitcode: bool,
) -> None:
    """Show what apply would do, and why.

    Without an ADDRESS it is about what `[workspace] default` names. Nothing is changed. The marks:
    + made for the first time, ~ made again or put back, ? decided on the way, = stays, ! can not be made,
    - no longer declared.
    """
    from tsws.cli.limit import mention_limit

    session: Session = context.obj
    workspace = session.open(overrides)
    plan = workspace.plan(addresses or None, everything=everything, replace=replace, refresh=refresh)
    mention_limit(session, workspace, plan)
    if as_json:
        from tsws.cli.documents import encode, plan_document

        click.echo(encode(plan_document(plan)))
    else:
        from tsws.cli.plan_text import plan_lines, summary

        lines = plan_lines(plan, verbose=session.verbose)
        for line in [*lines, ""] if lines else []:
            session.say(line)
        click.echo(summary(plan))
    if plan.blocked:
        context.exit(1)
    context.exit(CHANGES if detailed_exitcode and plan.changes else 0)
