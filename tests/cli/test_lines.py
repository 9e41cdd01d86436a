"""Rendering without a terminal, from recorded events: complete outputs."""

from __future__ import annotations

import click
from recorded import EVENTS, RUN

from tsws.cli.lines import Lines
from tsws.job import Failed, Metric, Started

CALM = """\
dataset.web: started, does not exist yet
dataset.web: fetching web.txt 50%, 2.0 of 4.0 MB, 200 kB/s, 10s left
dataset.web: fetching web.txt 100%, 4.0 of 4.0 MB, 200 kB/s
dataset.web: done in 21s
run.tiny: started, train.seed changed
run.tiny: continuing at step 0
run.tiny: step 1/100, loss 5.0000, 12.3k tokens/s
run.tiny: step 6/100, loss 4.7600, 12.3k tokens/s, 1m 34s left
run.tiny: step 12/100, loss 4.5200, 12.3k tokens/s, 1m 28s left
run.tiny: step 18/100, loss 4.2800, 12.3k tokens/s, 1m 22s left
run.tiny: step 24/100, loss 4.0400, 12.3k tokens/s, 1m 16s left
run.tiny: step 30/100, loss 3.8000, 12.3k tokens/s, 1m 10s left
run.tiny: step 36/100, loss 3.5600, 12.3k tokens/s, 1m 04s left
run.tiny: step 42/100, loss 3.3200, 12.3k tokens/s, 58s left
run.tiny: step 48/100, loss 3.0800, 12.3k tokens/s, 52s left
run.tiny: step 50/100, val loss 3.2500, the best so far
run.tiny: “Once upon a time there was a cat. The cat had a hat, and the hat had a name. It was a good hat. …”
run.tiny: step 60/100, loss 2.6000, 12.3k tokens/s, 41s left
run.tiny: step 80/100, loss 1.8000, 12.3k tokens/s, 20s left
run.tiny: step 100/100, loss 1.0000, 12.3k tokens/s
run.tiny: step 100/100, val loss 3.5000
run.tiny: done in 1m 43s, loss 1.0000, val loss 3.5000
export.tiny: started
"""
ERRORS = """\
warning: run.tiny: the disk is almost full
error: export.tiny: out/model.bin can not be written
hint: make room
"""


def told(events: list, **how: bool) -> tuple[str, str]:
    """What is written to standard output and to standard error."""
    out: list[str] = []
    error: list[str] = []
    lines = Lines(out.append, error.append, **how)
    for event in events:
        lines.emit(event)
    return "".join(f"{one}\n" for one in out), click.unstyle("".join(f"{one}\n" for one in error))


def test_calm_lines() -> None:
    assert told(EVENTS) == (CALM, ERRORS)


def test_quiet_leaves_only_what_is_wrong() -> None:
    assert told(EVENTS, quiet=True) == ("", ERRORS)


def test_verbose_adds_checkpoints_and_debugging() -> None:
    out, _ = told(EVENTS, verbose=True)
    added = set(out.splitlines()) - set(CALM.splitlines())
    assert added == {"run.tiny: two threads", "run.tiny: checkpoint of step 50"}


def test_logs_have_every_step() -> None:
    out, _ = told(EVENTS, every_step=True)
    assert sum("loss" in line and "val" not in line for line in out.splitlines()) == 29


def test_slow_run_says_something_every_minute() -> None:
    steps = [
        Metric(address=RUN, time=10.0 * step, step=step, total=10_000, values={"train_loss": 1.0})
        for step in range(1, 20)
    ]
    out, _ = told([Started(address=RUN, time=0.0), *steps])
    assert [line.split(",")[0] for line in out.splitlines()[1:]] == [
        "run.tiny: step 1/10000",
        "run.tiny: step 7/10000",
        "run.tiny: step 13/10000",
        "run.tiny: step 19/10000",
    ]


def test_stop_on_request_is_no_error() -> None:
    stopped = Failed(address=RUN, time=1.0, message="run.tiny: stopped at step 7", hint="continue", interrupted=True)
    assert told([Started(address=RUN, time=0.0), stopped]) == (
        "run.tiny: started\n",
        "run.tiny: stopped at step 7\nhint: continue\n",
    )
