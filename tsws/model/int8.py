"""Weights as int8 codes: groups that follow one another in a row share a float32 scale, and ``weight = code * scale``.

Symmetric: the largest of a group gets the code 127 or -127. Codes and scales are those of llama2.c's ``export.py`` (its
``Q8_0``) wherever that gives any, bit for bit; the native program's ``quantize.c`` gives the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsws.errors import FormatError
from tsws.model.config import LlamaConfig

if TYPE_CHECKING:
    import torch

LARGEST_CODE = 127
USUAL_GROUP_SIZE = 64
"""llama2.c's, where it fits."""


def fitting_group_size(config: LlamaConfig) -> int:
    """The largest power of two, up to llama2.c's, that divides every row of every matrix."""
    size = USUAL_GROUP_SIZE
    while config.dim % size or config.hidden_dim % size:
        size //= 2
    return size


def check_group_size(config: LlamaConfig, group_size: int) -> None:
    """Refuse groups that would reach from one row into the next.

    llama2.c's export looks at ``dim`` alone; its player then drops the ends of rows, and the text is wrecked.

    Raises:
        FormatError: the group size does not divide every row.
    """
    for name, width in (("dim", config.dim), ("hidden_dim", config.hidden_dim)):
        if group_size < 1 or width % group_size:
            raise FormatError(
                f"a group size of {group_size} does not divide {name} = {width}",
                hint=f"leave it out, or choose {fitting_group_size(config)}",
            )


def quantize(weights: torch.Tensor, group_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes and scales of a matrix.

    Args:
        weights: float32 ``(rows, columns)``.
        group_size: divides ``columns``.

    Returns:
        codes, int8 ``(rows * columns / group_size, group_size)``, and scales, float32 ``(rows * columns / group_size,)``.

    Raises:
        FormatError: a weight is infinite or no number.
    """
    import torch

    groups = weights.reshape(-1, group_size)
    if not torch.isfinite(groups).all():
        raise FormatError(
            "a weight is infinite or no number, and has no int8 code", hint="the model diverged in training"
        )
    scales = groups.abs().amax(1) / LARGEST_CODE
    divisors = torch.where(scales > 0, scales, 1.0)  # a group of zeros may be divided by anything
    # Beyond 127 only where a scale has lost bits to an underflow.
    codes = torch.round(groups / divisors[:, None]).clamp(-LARGEST_CODE, LARGEST_CODE)
    return torch.where(scales[:, None] > 0, codes, 0.0).to(torch.int8), scales


def dequantize(codes: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """The weights, in the shape of the codes.

    Args:
        codes: int8 ``(groups, group_size)``.
        scales: float32 ``(groups,)``.
    """
    return codes.float() * scales[:, None]
