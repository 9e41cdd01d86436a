"""Rendering on a terminal, from recorded events: what stays, and what the bars are at some moments."""

from __future__ import annotations

import io
import re

from recorded import EVENTS, RUN
from rich.console import Console

from tsws.cli.live import LiveView
from tsws.job import Event, Metric, Progress, Started

KEPT = """\
✓ dataset.web  done in 21s
  run.tiny  continuing at step 0
  run.tiny  step 50/100, val loss 3.2500, the best so far
    “Once upon a time there was a cat. The cat had a hat, and the hat had a name. It was a good hat. It was a good hat. It was a good hat. It was a good …”
warning: run.tiny: the disk is almost full
  run.tiny  step 100/100, val loss 3.5000
✓ run.tiny  done in 1m 43s, loss 1.0000, val loss 3.5000
error: export.tiny: out/model.bin can not be written
hint: make room
"""


def view(*, terminal: bool) -> tuple[LiveView, Console]:
    console = Console(
        file=io.StringIO(), width=80, height=20, force_terminal=terminal, color_system=None, legacy_windows=False
    )
    return LiveView(console, animate=False), console


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def frame(events: list[Event]) -> list[str]:
    """The bars after some events."""
    live, _ = view(terminal=False)
    for event in events:
        live.emit(event)
    _, console = view(terminal=False)
    console.print(live.frame())
    return [line.rstrip() for line in text(console).splitlines()]


def test_what_stays_when_everything_is_over() -> None:
    live, console = view(terminal=False)
    for event in EVENTS:
        live.emit(event)
    assert text(console) == KEPT


def test_download_shows_share_rate_and_time_left() -> None:
    progress = next(index for index, event in enumerate(EVENTS) if isinstance(event, Progress) and event.done == 2e6)
    assert frame(EVENTS[: progress + 1]) == [
        "  dataset.web ━━━━━━━━━━━━             50%  200 kB/s  10s left  fetching web.txt"
    ]


def test_training_shows_step_loss_speed_time_left_and_the_curve() -> None:
    step = next(index for index, event in enumerate(EVENTS) if isinstance(event, Metric) and event.step == 60)
    assert frame(EVENTS[: step + 1]) == [
        "  run.tiny ━━━━━━━━━━━━━━           60/100  41s left",
        "    loss 2.6000 ██▇▇▆▆▆▅▅▅▄▄▃▃▃▂▂▁  val loss 3.2500  12.3k tokens/s  lr 0.01",
    ]


def test_training_shows_what_it_has_cost_and_how_much_of_the_machine_it_uses() -> None:
    values = {"train_loss": 2.5, "lr": 0.001, "tokens_per_second": 45_678.0, "mfu": 0.4123, "dollars": 0.1234}
    events = [
        Metric(address=RUN, time=time, step=step, total=100, values=values) for time, step in ((1.0, 1), (2.0, 2))
    ]
    assert frame(list(events))[1] == "    loss 2.5000 ▁▁  45.7k tokens/s  $0.12  lr 0.001  mfu 41%"


def test_the_curve_takes_what_the_numbers_leave_of_the_line() -> None:
    values = {
        "train_loss": 2.5,
        "val_loss": 2.6,
        "lr": 0.001,
        "tokens_per_second": 45_678.0,
        "mfu": 0.4,
        "dollars": 12.5,
    }
    events = [Metric(address=RUN, time=step, step=step, total=100, values=values) for step in range(1, 41)]
    line = "    loss 2.5000 ▁▁▁▁  val loss 2.6000  45.7k tokens/s  $12.50  lr 0.001  mfu 40%"
    assert (frame(list(events))[1], len(line)) == (line, 80)


def test_work_of_unknown_length_has_a_pulsing_bar() -> None:
    (line,) = frame([Started(address="program.run", time=0.0, reason="")])
    assert re.fullmatch(r"  program.run [━ ]{24}", line.ljust(38))


def test_no_bar_outlives_its_line() -> None:
    live, console = view(terminal=True)
    with live:
        for event in EVENTS[:7]:
            live.emit(event)
        after = text(console).rpartition("done in 21s")[2]
    assert "dataset.web" not in after


def test_bars_are_gone_at_the_end() -> None:
    live, console = view(terminal=True)
    with live:
        live.emit(Started(address=RUN, time=0.0, reason=""))
    assert text(console).endswith("\x1b[?25h\r\x1b[1A\x1b[2K")
