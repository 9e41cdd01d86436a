"""``tsws status``."""

from __future__ import annotations

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("status", cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of a table.")
@click.option("--refresh", is_flag=True, help="Look at volumes elsewhere, too, and for jobs that nobody here knows.")
@set_option
@click.pass_obj
def command(session: Session, /, as_json: bool, refresh: bool, overrides: tuple[str, ...]) -> None:
    """Show how everything is.

    For every declared or implied resource: its state, its files, their size, when they were made and how long that took;
    for a run at work how far it is, and what it has cost.
    """
    from tsws.cli.jobs import training_of
    from tsws.cli.status_text import resource_document, status_lines, stranger_words
    from tsws.workspace.machines import spent, strangers

    workspace = session.open(overrides)
    if refresh:
        workspace.plan(everything=True, refresh=True)
    statuses = workspace.status()
    costs = {one.action.address: spent(workspace.context, one.job) for one in statuses if one.job is not None}
    found = {one.action.address: training_of(workspace.context, one.job) for one in statuses if one.job is not None}
    trainings = {address: training for address, training in found.items() if training is not None}
    if as_json:
        from tsws.cli.documents import StatusDocument, encode

        resources = [
            resource_document(one, trainings.get(one.action.address), costs.get(one.action.address)) for one in statuses
        ]
        click.echo(encode(StatusDocument(root=str(workspace.root), resources=resources)))
        return
    for line in status_lines(statuses, trainings, costs):
        click.echo(line)
    for stranger in strangers(workspace.context) if refresh else ():
        click.echo(stranger_words(stranger))
