"""``[model.*] arch = "llama"``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tsws.model.config import LlamaConfig
from tsws.plugin import Architecture

if TYPE_CHECKING:
    import torch


class LlamaArchitecture(Architecture):
    """RMSNorm, rotary positions, grouped queries, SwiGLU: what llama2.c's format holds."""

    name: ClassVar[str] = "llama"

    def build(self, config: Mapping[str, Any]) -> torch.nn.Module:
        """A freshly initialised Llama.

        Raises:
            FormatError: the sizes do not fit together.
        """
        from tsws.model.llama import Llama

        return Llama(LlamaConfig.from_fields(config))
