"""What was found out about a model, as lines and as JSON. Pure."""

from __future__ import annotations

import json
from typing import Any

import click

from tsws.cli.columns import aligned
from tsws.report.scores import Scores
from tsws.report.stories import StoryStatistics
from tsws.workspace.evaluating import Evaluation


def evaluation_lines(found: Evaluation) -> list[str]:
    """A section for what was predicted, and one for what was told."""
    lines = [f"{click.style(found.label, bold=True)}, computed by {found.engine}"]
    if found.scores is not None:
        lines += ["", click.style(f"prediction of {found.data}", underline=True), *_indented(_scores(found.scores))]
    if found.stories is not None:
        lines += [
            "",
            click.style(f"{found.stories.count} stories", underline=True),
            *_indented(_stories(found.stories)),
        ]
    return lines


def evaluation_json(found: Evaluation) -> str:
    """One JSON object; ``scores`` and ``stories`` are null where there was nothing to look at."""
    scores, stories = found.scores, found.stories
    document: dict[str, Any] = {"model": found.label, "engine": found.engine, "data": found.data or None}
    document["scores"] = scores and {
        "loss": scores.loss,
        "perplexity": scores.perplexity,
        "bits_per_byte": scores.bits_per_byte,
        "tokens": scores.tokens,
        "bytes": scores.bytes,
    }
    document["stories"] = stories and {
        "count": stories.count,
        **{f"distinct_{length}": share for length, share in stories.distinct.items()},
        "repetition": stories.repetition,
        "unknown_words": stories.unknown_words,
        "unknown_examples": list(stories.unknown_examples),
        "words": stories.words,
        "tokens": stories.tokens,
        "ended": stories.ended,
    }
    return json.dumps(document, ensure_ascii=False)


def _scores(scores: Scores) -> list[tuple[str, str]]:
    bits = scores.bits_per_byte
    return [
        ("loss", f"{scores.loss:.4f} nats a token"),
        ("perplexity", f"{scores.perplexity:.3f}"),
        ("bits a byte", "" if bits is None else f"{bits:.4f}"),
        ("predicted", f"{scores.tokens:,} tokens, {scores.bytes:,} bytes"),
    ]


def _stories(stories: StoryStatistics) -> list[tuple[str, str]]:
    unknown = stories.unknown_words
    examples = f"  ({', '.join(stories.unknown_examples)})" if stories.unknown_examples else ""
    return [
        *((f"distinct-{length}", f"{share:.3f}") for length, share in stories.distinct.items()),
        ("repetition", f"{stories.repetition:.1%}"),
        *([] if unknown is None else [("unknown words", f"{unknown:.2%}{examples}")]),
        ("length", f"{stories.words:.0f} words, {stories.tokens:.0f} tokens"),
        ("ended", f"{stories.ended:.0%}"),
    ]


def _indented(rows: list[tuple[str, str]]) -> list[str]:
    return [f"  {line}" for line in aligned(rows)]
