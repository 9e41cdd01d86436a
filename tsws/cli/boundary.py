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

from tsws.errors import InterruptedByUser, TswsError

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
REPORT_IT = "this is a bug in tsws, please report it with the lines above"


def guarded(call: Callable[[], object], *, color: bool | None = None) -> int:
    """Run a command and turn whatever it raises into text and an exit status.

    Args:
        call: returns the exit status, or nothing when it is 0.
        color: of the text; None: where a terminal shows it.
    """
    try:
        status = call()
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (click.ClickException, click.Abort, TswsError, KeyboardInterrupt) as error:
        text, status = _foreseen(error)
        click.echo(text, err=True, color=color)
        return status
    except Exception:  # noqa: BLE001  a defect keeps its traceback
        import traceback

        click.echo(f"{traceback.format_exc()}{REPORT_IT}", err=True)
        return 1


def _foreseen(error: BaseException) -> tuple[str, int]:
    """The text and the status of an error that is no defect."""
    match error:
        case click.ClickException():
            return failure_text(error.format_message(), _how_to_use(error)), error.exit_code
        case InterruptedByUser():  # what was asked for is no error
            return notice(error.message, error.hint), error.exit_status
        case TswsError():
            return failure_text(error.message, error.hint), error.exit_status
        case _:
            return "\ninterrupted", INTERRUPTED


def _how_to_use(error: click.ClickException) -> str | None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"`{context.command_path} --help` shows what there is" if context else None


def failure_text(message: str, hint: str | None) -> str:
    """``error: ...`` and, below, ``hint: ...``."""
    return notice(f"{click.style('error:', fg='red', bold=True)} {message}", hint)


def notice(message: str, hint: str | None) -> str:
    """A message with its hint below."""
    return f"{message}\n{click.style('hint:', fg='cyan')} {hint}" if hint else message
