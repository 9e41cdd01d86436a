"""The one error boundary: errors become text and an exit status here, and nowhere else.

========  =============================================================
status    meaning
========  =============================================================
0         it went well
1         it failed; the message says what, the hint what to do next
2         wrong usage
130       a person interrupted it (SIGINT, SIGTERM)
========  =============================================================
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from tsws.errors import TswsError

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
REPORT_IT = "this is a bug in tsws, please report it with the lines above"


def guarded(call: Callable[[], object]) -> int:
    """Run a command and turn whatever it raises into text and an exit status.

    Args:
        call: returns the exit status, or nothing when it is 0.
    """
    try:
        status = call()
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.ClickException as error:
        click.echo(failure_text(error.format_message(), _how_to_use(error)), err=True)
        return error.exit_code
    except TswsError as error:
        click.echo(error_text(error), err=True)
        return error.exit_status
    except (click.Abort, KeyboardInterrupt):
        click.echo("\ninterrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception:  # noqa: BLE001  a defect keeps its traceback
        import traceback

        click.echo(traceback.format_exc(), err=True, nl=False)
        click.echo(REPORT_IT, err=True)
        return 1


def _how_to_use(error: click.ClickException) -> str | None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"`{context.command_path} --help` shows what there is" if context else None


def error_text(error: TswsError) -> str:
    """An error as people read it."""
    return failure_text(error.message, error.hint)


def failure_text(message: str, hint: str | None) -> str:
    """``error: ...`` and, below, ``hint: ...``."""
    text = f"{click.style('error:', fg='red', bold=True)} {message}"
    return f"{text}\n{click.style('hint:', fg='cyan')} {hint}" if hint else text
