"""On a real terminal: live bars, Ctrl-C, questions."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest
from terminal import CTRL_C, Terminal

from tests.cli.conftest import Project

LONG = ("--set", "run.tiny.max_iters=1000000", "--set", "run.tiny.eval_interval=1000000")
"""More steps than anybody waits for."""
ASKED = "stopping after a checkpoint; Ctrl-C again ends at once"


@pytest.mark.slow
def test_ctrl_c_stops_after_a_checkpoint_and_the_next_apply_continues(applied: Project) -> None:
    with Terminal("-m", "tsws", "apply", "run.tiny", *LONG, folder=applied.root) as terminal:
        terminal.wait_for(r"run\.tiny ━* +\d+/1000000  ")
        terminal.wait_for(r"loss \d\.\d{4} [▁▂▃▄▅▆▇█]{2,}  [\d.]+k? tokens/s")
        terminal.press(CTRL_C)
        assert terminal.wait() == 130
        assert ASKED in terminal.text
        step = int(terminal.wait_for(r"run\.tiny: stopped at step (\d+) of 1000000, the checkpoint is written")[1])
        last = terminal.text.rstrip().splitlines()[-1]
        assert re.fullmatch(
            r"Stopped after .+, 0 changes done; `tsws apply` continues with run.tiny and export.tiny.", last
        )
        assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l"), "the cursor stays hidden"
    plan = applied.run("plan", "run.tiny", *LONG).out
    assert f"; continues at step {step}" in plan
    command = [sys.executable, "-m", "tsws", "apply", "run.tiny", *LONG]
    with subprocess.Popen(
        command, cwd=applied.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as again:
        assert again.stdout is not None
        heard = [line for line in iter(again.stdout.readline, "") if _interrupt_when_training(again, line)]
    assert again.returncode == 130
    assert f"run.tiny: continuing at step {step}\n" in heard
    assert f"{ASKED}\n" in heard


def _interrupt_when_training(process: subprocess.Popen[str], line: str) -> bool:
    if re.match(r"run\.tiny: step \d+/", line):
        process.send_signal(signal.SIGTERM)
    return True


@pytest.mark.slow
def test_interrupt_at_nothing_that_lasts_ends_with_130(project) -> None:
    """Outside an apply the first Ctrl-C ends."""
    program = (
        "import sys, time\nfrom tsws.cli.boundary import guarded\n"
        "def last():\n    print('ready', flush=True)\n    time.sleep(600)\n"
        "sys.exit(guarded(last))\n"
    )
    with Terminal("-c", program, folder=project().root) as terminal:
        terminal.wait_for("ready")
        terminal.press(CTRL_C)
        assert terminal.wait() == 130
        assert terminal.text.endswith("\ninterrupted\n")


def test_second_ctrl_c_ends_at_once_whatever_goes_on(project) -> None:
    program = (
        "import threading\nfrom tsws.cli.stopping import stoppable\n"
        "with stoppable() as stop:\n    print('ready', flush=True)\n    threading.Event().wait()\n"
    )
    with Terminal("-c", program, folder=project().root) as terminal:
        terminal.wait_for("ready")
        terminal.press(CTRL_C)
        terminal.wait_for(ASKED)
        terminal.press(CTRL_C)
        assert terminal.wait() == 130


def test_signals_are_as_before_when_the_work_is_over() -> None:
    from tsws.cli.stopping import stoppable

    before = signal.getsignal(signal.SIGINT)
    with stoppable() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
    assert signal.getsignal(signal.SIGINT) is before


def test_question_is_asked_and_no_means_no(applied: Project) -> None:
    arguments = ("-m", "tsws", "apply", "tokenizer.small", "--replace", "tokenizer.small")
    question = r"It makes tokenizer\.small anew\. Go on\? \[y/N\]: "
    with Terminal(*arguments, folder=applied.root) as terminal:
        terminal.wait_for(question)
        terminal.press(b"n\n")
        assert terminal.wait() == 130
        assert terminal.text.endswith("nothing was done\n")
    with Terminal(*arguments, folder=applied.root) as terminal:
        terminal.wait_for(question)
        terminal.press(b"y\n")
        assert terminal.wait() == 0
        assert re.search(
            r"✓ tokenizer\.small  done in .+\n\s*Done: 1 change in .+; 1 other up to date\.\n$", terminal.text
        )


def test_colours_and_no_color_on_a_terminal(applied: Project) -> None:
    coloured = ("-m", "tsws", "status")
    with Terminal(*coloured, folder=applied.root) as terminal:
        assert terminal.wait() == 0
        assert "\x1b[32mup to date" in terminal.raw
    with Terminal(*coloured, "--no-color", folder=applied.root) as terminal:
        assert terminal.wait() == 0
        assert "\x1b" not in terminal.raw


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "run.tinny"),  # fails at work
        ("aply",),  # fails while the words are parsed
        (
            "-q",
            "apply",
            "-y",
            "tokenizer.small",
            "--replace",
            "tokenizer.small",
            "--set",
            "tokenizer.small.vocab_size=300",
        ),
    ],
    ids=["plan", "aply", "apply"],
)
def test_errors_are_coloured_on_a_terminal_unless_that_is_refused(applied: Project, words: tuple[str, ...]) -> None:
    def shown(*more: str, env: dict[str, str] | None = None) -> str:
        with Terminal("-m", "tsws", *more, *words, folder=applied.root, env=env) as terminal:
            assert terminal.wait() in {1, 2}
            return terminal.raw

    coloured = shown()
    assert "\x1b[31m\x1b[1merror:\x1b[0m" in coloured
    assert "\x1b[36mhint:\x1b[0m" in coloured
    for refused in (shown("--no-color"), shown(env={"NO_COLOR": "1"})):
        assert "error: " in refused
        assert "\x1b" not in refused
