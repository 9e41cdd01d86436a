"""``tsws report``."""

from __future__ import annotations

from pathlib import Path

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("report", cls=Command)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page to write; report.html in the run's folder, or here for several runs and for files.",
)
@set_option
@click.pass_obj
def command(session: Session, /, runs: tuple[str, ...], output: Path | None, overrides: tuple[str, ...]) -> None:
    """Write a page with the curves, stories and settings of runs.

    RUN is a run of the manifest (baby), one of its versions (baby@3f2a, as `tsws runs` lists them), or a metrics.jsonl
    from anywhere. Several are laid over each other. The page is one HTML file that needs no network to be read. A run that
    still goes on is shown as far as it is.
    """
    from tsws.cli.viewed import is_file, viewed
    from tsws.io.atomic import write_bytes
    from tsws.report.page import report_page

    found = viewed(session, runs, overrides)
    if output is None and len(runs) == 1 and not is_file(runs[0]):
        from tsws.manifest.outputs import run_out

        workspace = session.open(overrides)
        name = runs[0].removeprefix("run.").partition("@")[0]
        output = workspace.root / run_out(name, workspace.manifest.run[name]) / "report.html"
    path = output or Path("report.html")
    write_bytes(path, report_page(found).encode())
    click.echo(str(path))
