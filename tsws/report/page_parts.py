"""The sections of the report, as HTML. Whatever comes from a run is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from tsws.io.durations import format_duration
from tsws.report.curves import best, training_curve, validation_curve
from tsws.report.run_view import RunView
from tsws.report.stories import readable

COLORS = 6
"""Runs that have a colour of their own; further ones begin again."""
SHOWN = 6
"""Samples that stand open; the others are folded away."""


def summary(runs: Sequence[RunView]) -> str:
    """What became of each, in a few figures."""
    title = escape(" and ".join(run.label for run in runs))
    names = ["val loss", "best", "steps", "tokens", "time", "tokens/s"]
    rows = [(_label(run, number), _figures(run)) for number, run in enumerate(runs)]
    return f"<h1>{title}</h1>\n<p class=soft>Losses are in nats a token.</p>\n{_wide_table('run', names, rows)}"


def charts(runs: Sequence[RunView]) -> str:
    """The places where the script draws, and what can be chosen about them."""
    label = "Training and validation loss of " + ", ".join(run.label for run in runs)
    last = [f"{run.label}: {low.loss:.4f}" for run in runs if (low := best(validation_curve(run.lines))) is not None]
    words = f"{label}. Best validation loss: {'; '.join(last) or 'none yet'}. The arrow keys move along the curves."
    return (
        "<h2>Curves</h2>\n<form class=controls>\n"
        + _choices("axis", "against", {"step": "steps", "tokens": "tokens", "seconds": "time"})
        + _choices("scale", "scale", {"linear": "linear", "log": "log"})
        + _run_choices(runs)
        + "</form>\n"
        + "<div class=card>\n"
        + _figure("Loss", "faint: training, with dots: validation", "train_loss val_loss", "loss", words)
        + "<div class=small>\n"
        + _figure("Learning rate", "", "lr", "lr", "Learning rate")
        + _figure("Norm of the gradient", "before clipping", "grad_norm", "grad_norm", "Norm of the gradient")
        + _figure("Speed", "tokens a second", "tokens_per_second", "tokens_per_second", "Tokens a second")
        + "</div>\n</div>\n"
    )


def evaluations(runs: Sequence[RunView]) -> str:
    """Every validation loss as a table, for those who can not see the curves or want the figures."""
    rows = [
        (
            _label(run, number),
            [str(point.step), f"{point.tokens:,}", format_duration(point.seconds), f"{point.loss:.4f}"],
        )
        for number, run in enumerate(runs)
        for point in validation_curve(run.lines)
    ]
    if not rows:
        return ""
    table = _wide_table("run", ["step", "tokens", "time", "val loss"], rows)
    return f"<details>\n<summary>Validation losses as a table</summary>\n{table}</details>\n"


def stories(runs: Sequence[RunView]) -> str:
    """What each told as it learned."""
    told = [(number, run) for number, run in enumerate(runs) if run.samples]
    if not told:
        return ""
    columns = [
        f"<section class=card>\n<h3>{_label(run, number)}</h3>\n{_samples(run)}</section>\n" for number, run in told
    ]
    return f"<h2>Stories as it learned</h2>\n<div class=stories>\n{''.join(columns)}</div>\n"


def facts(runs: Sequence[RunView]) -> str:
    """Data, machine, cost, and what else is known of each."""
    names = list(dict.fromkeys(name for run in runs for name in run.facts))
    rows = [(escape(name), [escape(run.facts.get(name, "")) for run in runs]) for name in names]
    return f"<h2>Data, machine, cost</h2>\n{_table(runs, rows)}" if rows else ""


def configuration(runs: Sequence[RunView]) -> str:
    """Every setting: first those that differ between runs, then those that all have."""
    keys = list(dict.fromkeys(key for run in runs for key in run.settings))
    if not keys:
        return ""
    values = {key: [_setting(run, key) for run in runs] for key in keys}
    differing = [key for key in keys if len(set(values[key])) > 1]
    same = [key for key in keys if key not in differing]
    parts = ["<h2>Configuration</h2>\n"]
    if differing:
        parts.append(_table(runs, [(escape(key), values[key]) for key in differing]))
    if same:
        words = f"{len(same)} settings" + (" that are the same" if len(runs) > 1 else "")
        table = _table(runs[:1], [(escape(key), values[key][:1]) for key in same])
        parts.append(f"<details>\n<summary>{words}</summary>\n{table}</details>\n")
    return "".join(parts)


def _setting(run: RunView, key: str) -> str:
    return escape(json.dumps(run.settings[key], ensure_ascii=False)) if key in run.settings else ""


def _figures(run: RunView) -> list[str]:
    """Of the summary: empty where nothing was measured."""
    validation, training = validation_curve(run.lines), training_curve(run.lines)
    low = best(validation)
    points = sorted([*validation, *training], key=lambda point: point.step)
    if not points:
        return [""] * 6
    last = points[-1]
    speed = f"{last.tokens / last.seconds:,.0f}" if last.seconds > 0 else ""
    return [
        f"{validation[-1].loss:.4f}" if validation else "",
        f"{low.loss:.4f} <span class=soft>at {low.step}</span>" if low else "",
        f"{last.step:,}",
        f"{last.tokens:,}",
        format_duration(last.seconds),
        speed,
    ]


def _samples(run: RunView) -> str:
    losses = {point.step: point.loss for point in validation_curve(run.lines)}
    count = len(run.samples)
    shown = (
        {round(number * (count - 1) / (SHOWN - 1)) for number in range(SHOWN)} if count > SHOWN else set(range(count))
    )
    items = [_sample(sample, losses.get(sample["step"])) for sample in run.samples]
    parts = ["<ol>\n", *(item for number, item in enumerate(items) if number in shown), "</ol>\n"]
    if len(shown) < count:
        rest = [item for number, item in enumerate(items) if number not in shown]
        parts += [f"<details>\n<summary>{len(rest)} between them</summary>\n<ol>\n", *rest, "</ol>\n</details>\n"]
    return "".join(parts)


def _sample(sample: Any, loss: float | None) -> str:
    prompt, text = str(sample["prompt"]), readable(str(sample["text"]))
    told = text.removeprefix(prompt)
    begin = f"<span class=prompt>{escape(prompt)}</span>" if told != text else ""
    when = f"step {sample['step']:,}" + (f" · val loss {loss:.4f}" if loss is not None else "")
    return f"<li><span class=when>{when}</span><p>{begin}{escape(told)}</p></li>\n"


def _choices(name: str, words: str, options: dict[str, str]) -> str:
    inputs = [
        f"<label><input type=radio name={name} value={value}{' checked' if number == 0 else ''}>"
        f"<span class=choice>{shown}</span></label>\n"
        for number, (value, shown) in enumerate(options.items())
    ]
    return f"<fieldset><legend>{words}</legend>\n{''.join(inputs)}</fieldset>\n"


def _run_choices(runs: Sequence[RunView]) -> str:
    if len(runs) < 2:
        return ""
    inputs = [
        f"<label><input type=checkbox name=run value={number} checked>"
        f"<span class=choice>{_label(run, number)}</span></label>\n"
        for number, run in enumerate(runs)
    ]
    return f"<fieldset class=runs><legend>runs</legend>\n{''.join(inputs)}</fieldset>\n"


def _figure(title: str, about: str, series: str, kind: str, label: str) -> str:
    more = f" <span class=soft>{about}</span>" if about else ""
    return (
        f"<figure>\n<figcaption>{title}{more}</figcaption>\n"
        f'<div class=plot tabindex=0 data-series="{series}" data-kind="{kind}" data-label="{escape(label)}"></div>\n</figure>\n'
    )


def _label(run: RunView, number: int) -> str:
    return f'<span class="swatch run-{number % COLORS}"></span>{escape(run.label)}'


def _wide_table(first: str, names: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table of figures; on a narrow screen each row becomes a block. All cells are HTML."""
    head = "".join(f"<th scope=col class=number>{name}</th>" for name in names)
    lines = []
    for label, cells in rows:
        named = zip(names, cells, strict=True)
        shown = "".join(f'<td class=number data-name="{name}"><span>{cell}</span></td>' for name, cell in named)
        lines.append(f"<tr><th scope=row>{label}</th>{shown}</tr>\n")
    return (
        f'<div class="card scroll">\n<table class=wide>\n<thead><tr><th scope=col>{first}</th>{head}</tr></thead>\n'
        f"<tbody>\n{''.join(lines)}</tbody>\n</table>\n</div>\n"
    )


def _table(runs: Sequence[RunView], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table with a column for each run; what all have in common stands once. On a narrow screen each row becomes a block.
    All cells are HTML."""
    labels = [_label(run, number) for number, run in enumerate(runs)]
    heads = "".join(f"<th scope=col>{label}</th>" for label in labels)
    head = f"<thead><tr><td></td>{heads}</tr></thead>\n" if len(runs) > 1 else ""
    names = [f"<span class=whose>{label}</span>" for label in labels] if len(runs) > 1 else [""]
    lines = []
    for name, cells in rows:
        if len(set(cells)) == 1:
            shown = f"<td{f' colspan={len(runs)}' if len(runs) > 1 else ''}>{cells[0]}</td>"
        else:
            shown = "".join(f"<td>{whose}<span>{cell}</span></td>" for whose, cell in zip(names, cells, strict=True))
        lines.append(f"<tr><th scope=row>{name}</th>{shown}</tr>\n")
    kind = "each" if len(runs) > 1 else "one"
    return (
        f'<div class="card scroll">\n<table class={kind}>\n{head}<tbody>\n{"".join(lines)}</tbody>\n</table>\n</div>\n'
    )
