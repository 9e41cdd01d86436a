"""``tsws logs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tsws.cli.options import complete_address, set_option
from tsws.cli.session import Command, Session

if TYPE_CHECKING:
    from tsws.resources.active_jobs import ActiveJob
    from tsws.workspace import Workspace


@click.command("logs", cls=Command)
@click.argument("address", required=False, metavar="[ADDRESS]", shell_complete=complete_address)
@click.option("-f", "--follow", is_flag=True, help="Stay until the job ends.")
@set_option
@click.pass_obj
def command(session: Session, /, address: str | None, follow: bool, overrides: tuple[str, ...]) -> None:
    """Show what a run said, or follow what it says.

    It is about the run's last job, running or ended; without an ADDRESS about the job that was started last.
    """
    from tsws.cli.jobs import backend_of, events_of
    from tsws.cli.lines import Lines
    from tsws.resources.following import Meter

    workspace = session.open(overrides)
    job = _job(workspace, address)
    backend = backend_of(workspace.context, job)
    lines, meter = Lines(click.echo, click.echo, verbose=True, every_step=True), Meter(backend)
    for event in events_of(backend, job, follow=follow):
        lines.emit(meter.read(event))
    if (words := backend.last_words(job.handle)) and session.verbose:
        click.echo(words)


def _job(workspace: Workspace, address: str | None) -> ActiveJob:
    from tsws.errors import TswsError
    from tsws.resources.active_jobs import active_job, jobs_folder
    from tsws.workspace.machines import find_job

    if address is not None:
        workspace.graph[address]
        names = [address]
    else:
        names = [path.stem for path in sorted(jobs_folder(workspace.root).glob("*.json"))]
    known = [active_job(workspace.root, name) for name in names]
    jobs = [job for job in known if job is not None and job.intent is None]
    if not jobs and address is not None and (found := find_job(workspace.context, address)) is not None:
        return found
    if not jobs:
        raise TswsError(
            f"no job of {address} is known here" if address else "no job is known here",
            hint="runs have jobs once `tsws apply` has started them; `tsws gc` forgets those that ended",
        )
    return max(jobs, key=lambda job: job.launched_at)
