"""``tsws compare``."""

from __future__ import annotations

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("compare", cls=Command)
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@set_option
@click.pass_obj
def command(session: Session, /, first: str, second: str, as_json: bool, overrides: tuple[str, ...]) -> None:
    """Compare two runs: settings, losses at equal steps, tokens and times, stories.

    RUN is what it is for `tsws report`. Losses are validation losses in nats a token, between two evaluations on a straight line;
    they can be compared where both runs have the same tokenizer and validation set. Bits a byte (`tsws eval`) can be
    compared always.
    """
    from tsws.cli.compare_text import comparison_json, comparison_lines
    from tsws.cli.viewed import viewed
    from tsws.report.comparison import compare

    runs = viewed(session, (first, second), overrides)
    found = compare(runs[0], runs[1])
    for line in [comparison_json(found)] if as_json else comparison_lines(found, runs):
        click.echo(line)
