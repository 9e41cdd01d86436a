"""Rendering of an apply on a terminal: a bar for all that moves, and above them what is done for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tsws.cli.said import done_words, evaluation_words, failure_words, sample_words
from tsws.cli.sparkline import sparkline
from tsws.cli.tracks import Track, Tracks, Training
from tsws.cli.words import big_number, loss_words
from tsws.io.durations import format_duration
from tsws.io.sizes import format_bytes, format_dollars
from tsws.job import Checkpoint, Done, Event, Failed, Log, Metric, Sample

BAR = 24
"""Characters of a bar."""
SPARK = 18
"""Characters of the curve of the loss, where there is room for it."""


class LiveView:
    """Turns events into bars and lines. A context manager: the bars go when it ends.

    Args:
        console: rich's, on the terminal.
        verbose: checkpoints and debugging lines, too.
        animate: False draws only when a line is printed, for tests.
    """

    def __init__(self, console: Console, *, verbose: bool = False, animate: bool = True) -> None:
        self._console = console
        self._verbose = verbose
        self._tracks = Tracks()
        self._last_failure = ""
        self._live = Live(_Now(self.frame), console=console, refresh_per_second=8, transient=True, auto_refresh=animate)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def emit(self, event: Event) -> None:
        """Hear an event; from any thread."""
        with self._tracks.lock:
            line = self._line(event, self._tracks.take(event))
        if line is not None:
            self._console.print(line, soft_wrap=True)

    def frame(self) -> RenderableType:
        """The bars as they are now."""
        with self._tracks.lock:
            tracks = list(self._tracks.active.values())
            grid = Table.grid(padding=(0, 1))
            grid.add_column(no_wrap=True)
            grid.add_column(width=BAR)
            grid.add_column(no_wrap=True, overflow="ellipsis")
            below: list[Text] = []
            for track in tracks:
                grid.add_row(Text(f"  {track.address}"), _bar(track), Text(_position(track)))
                if track.training is not None:
                    below.append(_training(track.training, self._console.width))
            return Group(grid, *below)

    def _line(self, event: Event, track: Track) -> Text | None:
        """What stays above the bars; None for what only moves them."""
        line: Text | None = None
        match event:
            case Done():
                line = _remark(event, done_words(event, track), "[green]✓[/]")
            case Failed():
                line = self._failure(event)
            case Metric() if "val_loss" in event.values and track.training is not None:
                line = _remark(event, evaluation_words(track.training))
            case Sample():
                line = Text(f"    {sample_words(event, max(20, 2 * self._console.width - 6))}", style="dim italic")
            case Checkpoint() if self._verbose:
                line = _remark(event, f"checkpoint of step {event.step}")
            case Log() if event.level == "warning":
                line = Text.from_markup(f"[yellow]warning:[/] {escape(event.address)}: {escape(event.message)}")
            case Log() if self._verbose or event.level != "debug":
                line = _remark(event, event.message)
        return line

    def _failure(self, event: Failed) -> Text | None:
        if event.message == self._last_failure:  # a job says it, and then whoever waited for the job
            return None
        self._last_failure = event.message
        hint = f"\n[cyan]hint:[/] {escape(event.hint)}" if event.hint else ""
        if event.interrupted:
            return Text.from_markup(f"{escape(event.message)}{hint}")
        return Text.from_markup(f"[bold red]error:[/] {escape(failure_words(event))}{hint}")


@dataclass(frozen=True)
class _Now:
    """A renderable that is asked for each time it is drawn, so that no bar outlives its line."""

    frame: Callable[[], RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.frame()


def _remark(event: Event, words: str, mark: str = " ") -> Text:
    return Text.from_markup(f"{mark} {escape(event.address)}  [dim]{escape(words)}[/]")


def _bar(track: Track) -> ProgressBar:
    """Pulses while nobody knows how long it takes."""
    if track.training is not None:
        return ProgressBar(total=track.training.total, completed=track.training.step, width=BAR)
    if track.transfer is not None and track.transfer.total:
        return ProgressBar(total=track.transfer.total, completed=track.transfer.done, width=BAR)
    return ProgressBar(total=None, width=BAR, pulse=True)


def _position(track: Track) -> str:
    """What stands behind the bar."""
    training, transfer = track.training, track.transfer
    if training is not None:
        return _left(f"{training.step}/{training.total}", training.seconds_left)
    if transfer is None:
        return ""
    share = f"{transfer.done / transfer.total:.0%}" if transfer.total else ""
    rate = transfer.rate
    speed = f"{format_bytes(rate)}/s" if rate and transfer.unit == "B" else ""
    if rate and transfer.unit not in {"", "B"}:
        speed = f"{big_number(rate)} {transfer.unit}/s"
    words = "  ".join(part for part in (share, speed) if part)
    return "  ".join(part for part in (_left(words, transfer.seconds_left), transfer.label) if part)


def _left(words: str, seconds: float | None) -> str:
    return f"{words}  {format_duration(seconds)} left" if seconds else words


def _training(training: Training, width: int) -> Text:
    """The second line of a run: loss with its curve, validation loss, speed, cost so far, learning rate, share of the machine's peak.

    Args:
        training: how far it is.
        width: of the terminal; the curve takes what the numbers leave of it.
    """
    rest = Text()
    if training.val_loss is not None:
        rest.append(f"  val loss {loss_words(training.val_loss)}")
    if training.tokens_per_second is not None:
        rest.append(f"  {big_number(training.tokens_per_second)} tokens/s", style="dim")
    if training.dollars is not None:
        rest.append(f"  {format_dollars(training.dollars)}", style="dim")
    if training.lr is not None:
        rest.append(f"  lr {training.lr:.2g}", style="dim")
    if training.mfu is not None:
        rest.append(f"  mfu {training.mfu:.0%}", style="dim")
    text = Text("    ", no_wrap=True, overflow="ellipsis")
    if training.train_loss is not None:
        text.append(f"loss {loss_words(training.train_loss)} ")
        room = max(0, min(SPARK, width - len(text) - len(rest)))
        text.append(sparkline(training.losses, room) if room else "", style="cyan")
    return text.append_text(rest)
