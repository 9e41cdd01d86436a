"""``tsws plot``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session

if TYPE_CHECKING:
    from tsws.report.curves import Axis

AXES: dict[str, Axis] = {"steps": "step", "tokens": "tokens", "time": "seconds"}


@click.command("plot", cls=Command)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("loss.png"),
    help="The picture to write, .png or .svg; loss.png.",
)
@click.option(
    "-x", "axis", type=click.Choice(list(AXES)), default="steps", help="What losses are drawn against; steps."
)
@click.option("--log", is_flag=True, help="A logarithmic axis for the losses.")
@set_option
@click.pass_obj
def command(
    session: Session, /, runs: tuple[str, ...], output: Path, axis: str, log: bool, overrides: tuple[str, ...]
) -> None:
    """Draw the loss curves of runs into a picture.

    RUN is what it is for `tsws report`. Needs matplotlib: pip install 'tsws[plot]'.
    """
    from tsws.cli.viewed import viewed
    from tsws.io.atomic import write_bytes
    from tsws.report.figure import format_of, loss_figure

    wanted = format_of(output)
    write_bytes(output, loss_figure(viewed(session, runs, overrides), axis=AXES[axis], log=log, format=wanted))
    click.echo(str(output))
