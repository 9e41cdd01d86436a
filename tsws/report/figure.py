"""Loss curves as a picture file, by matplotlib: for a README, a paper, a slide."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from tsws.errors import TswsError, UsageError
from tsws.report.curves import Axis, training_curve, validation_curve
from tsws.report.run_view import RunView

FORMATS = ("png", "svg")
_LABELS: dict[Axis, str] = {"step": "steps", "tokens": "tokens", "seconds": "time"}
_COLORS = ("#0b62c4", "#c2410c", "#0f766e", "#8b2fd6", "#b0184a", "#4d7c0f")
"""The same as on the page."""
_STYLES = ("-", "--", ":")
_LOG_TICKS = (1, 1.5, 2, 3, 5, 7)
"""Times a power of ten: where a logarithmic axis has its numbers, as on the page."""
_UNITS = ((7200.0, 3600.0, "hours"), (120.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
"""From so many seconds on, the length of a unit and its name."""


def format_of(path: Path) -> str:
    """What the name of a picture says about its format.

    Raises:
        UsageError: none that can be drawn.
    """
    found = path.suffix.lower().removeprefix(".")
    if found not in FORMATS:
        raise UsageError(f"{path} is neither a PNG nor an SVG by its name", hint="end it in .png or .svg")
    return found


def loss_figure(runs: Sequence[RunView], *, axis: Axis, log: bool, format: str) -> bytes:
    """Training (faint) and validation losses of some runs, laid over each other.

    The same runs give the same bytes with the same matplotlib.

    Args:
        runs: at least one.
        axis: what they are drawn against.
        log: whether the axis of the losses is logarithmic.
        format: ``png`` or ``svg``.

    Raises:
        TswsError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
    except ImportError as error:
        raise TswsError(
            "tsws plot needs matplotlib, which is not installed",
            hint="pip install 'tsws[plot]'; `tsws report` draws without it",
        ) from error
    unit, name = _unit(runs) if axis == "seconds" else (1.0, _LABELS[axis])
    with rc_context(
        {"svg.hashsalt": "tsws", "svg.fonttype": "none", "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.add_subplot()
        for number, run in enumerate(runs):
            color, style = _COLORS[number % len(_COLORS)], _STYLES[number % len(_STYLES)]
            training, validation = training_curve(run.lines), validation_curve(run.lines)
            xs = [point.at(axis) / unit for point in training]
            axes.plot(xs, [point.loss for point in training], color=color, linewidth=0.8, alpha=0.4)
            xs = [point.at(axis) / unit for point in validation]
            losses = [point.loss for point in validation]
            axes.plot(xs, losses, style, color=color, linewidth=1.8, marker="o", markersize=3.5, label=run.label)
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=_LOG_TICKS))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(name)
        axes.set_ylabel("loss, nats a token")
        axes.grid(True, which="both", color="#eceef1")
        axes.set_axisbelow(True)
        axes.legend(frameon=False, title="validation (faint: training)", title_fontsize="small")
        buffer = BytesIO()
        # No date in it, so that the same numbers give the same file.
        figure.savefig(buffer, format=format, dpi=160, metadata={"Date": None} if format == "svg" else None)
    return buffer.getvalue()


def _unit(runs: Sequence[RunView]) -> tuple[float, str]:
    """The unit in which the longest of the runs is read best: its length in seconds, and its name."""
    longest = max((float(line["seconds"]) for run in runs for line in run.lines if "seconds" in line), default=0.0)
    return next((length, name) for least, length, name in _UNITS if longest >= least)
