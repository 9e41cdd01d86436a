"""``[model.*] arch = "gpt"``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tsws.model.gpt_config import GPTConfig
from tsws.plugin import Architecture

if TYPE_CHECKING:
    import torch


class GPTArchitecture(Architecture):
    """Learned positions, LayerNorm, multi-head attention, ReLU: played by torch, exported as safetensors."""

    name: ClassVar[str] = "gpt"
    torch_checkpoints: ClassVar[bool] = True

    def build(self, config: Mapping[str, Any]) -> torch.nn.Module:
        """A freshly initialised GPT.

        Raises:
            FormatError: the sizes do not fit together.
        """
        from tsws.model.gpt import GPT

        return GPT(GPTConfig.from_fields(config))
