"""Text in columns that line up, whatever colours it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click


def aligned(rows: Iterable[Sequence[str]], *, header: Sequence[str] = (), right: Sequence[int] = ()) -> list[str]:
    """Lines of cells, two spaces apart, without spaces at their ends.

    Args:
        rows: cells, styled or not; all rows of the same length.
        header: dim words above the columns; none when empty.
        right: columns (from 0) whose cells end together.
    """
    table = [list(row) for row in rows]
    if header:
        table.insert(0, [click.style(word, dim=True) for word in header])
    widths = [max(_width(cell) for cell in column) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [
            " " * (width - _width(cell)) + cell if number in right else cell + " " * (width - _width(cell))
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    return len(click.unstyle(text))
