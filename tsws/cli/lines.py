"""Rendering of an apply without a terminal: plain lines, few of them, complete each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tsws.cli.boundary import failure_text, notice
from tsws.cli.said import done_words, evaluation_words, failure_words, sample_words, training_words, transfer_words
from tsws.cli.tracks import Track, Tracks
from tsws.cli.words import STORY_WIDTH
from tsws.job import Checkpoint, Done, Event, Failed, Log, Metric, Progress, Sample, Started

SHARE = 0.05
"""Of a training run between two of its lines..."""
PATIENCE = 60.0
"""...or seconds, whichever is shorter. Evaluations always have a line."""
PROGRESS_PATIENCE = 10.0
"""Seconds between two lines of a transfer."""


class Lines:
    """Turns events into lines.

    Args:
        out: writes a line.
        error: writes a line where errors go.
        quiet: only warnings and errors.
        verbose: checkpoints and debugging lines, too.
        every_step: every line of a training run, not only some.
    """

    def __init__(
        self,
        out: Callable[[str], None],
        error: Callable[[str], None],
        *,
        quiet: bool = False,
        verbose: bool = False,
        every_step: bool = False,
    ) -> None:
        self._out = out
        self._error = error
        self._quiet = quiet
        self._verbose = verbose
        self._every_step = every_step
        self._tracks = Tracks()
        self._last_time: dict[str, float] = {}
        self._last_step: dict[str, int] = {}
        self._last_failure = ""

    def emit(self, event: Event) -> None:
        """Hear an event; from any thread."""
        with self._tracks.lock:
            track = self._tracks.take(event)
            if isinstance(event, Failed):
                self._fail(event)
            elif isinstance(event, Log) and event.level == "warning":
                self._error(f"warning: {event.address}: {event.message}")
            elif not self._quiet:
                for line in self._lines(event, track):
                    self._out(f"{event.address}: {line}")

    def _fail(self, event: Failed) -> None:
        if event.message == self._last_failure:  # a job says it, and then whoever waited for the job
            return
        self._last_failure = event.message
        self._error(
            notice(event.message, event.hint) if event.interrupted else failure_text(failure_words(event), event.hint)
        )

    def _lines(self, event: Event, track: Track) -> Iterator[str]:
        match event:
            case Started():
                self._last_time[event.address] = event.time
                self._last_step.pop(event.address, None)
                yield f"started, {event.reason}" if event.reason else "started"
            case Progress() if track.transfer is not None and self._due(event, PROGRESS_PATIENCE):
                yield transfer_words(track.transfer)
            case Metric() if track.training is not None:
                if "val_loss" in event.values:
                    yield evaluation_words(track.training)
                elif self._step_due(event):
                    yield training_words(track.training)
            case Sample():
                yield sample_words(event, STORY_WIDTH)
            case Checkpoint() if self._verbose:
                yield f"checkpoint of step {event.step}"
            case Log() if self._verbose or event.level != "debug":
                yield event.message
            case Done():
                yield done_words(event, track)

    def _due(self, event: Event, patience: float) -> bool:
        due = event.time - self._last_time.setdefault(event.address, event.time) >= patience
        if due:
            self._last_time[event.address] = event.time
        return due

    def _step_due(self, event: Metric) -> bool:
        last = self._last_step.get(event.address)
        far = self._every_step or last is None or event.step - last >= SHARE * event.total or event.step == event.total
        if far or self._due(event, PATIENCE):
            self._last_step[event.address], self._last_time[event.address] = event.step, event.time
            return True
        return False
