"""Small Llamas."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama

FIELDS = {"dim": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "vocab_size": 24, "max_seq_len": 12}


@pytest.fixture
def make() -> Callable[..., Llama]:
    """A Llama with random weights, larger than those that training begins with, so that every part of it matters."""

    def build(**fields: object) -> Llama:
        torch.manual_seed(3)
        model = Llama(LlamaConfig.from_fields({**FIELDS, **fields}))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(mean=1.0 if parameter.dim() == 1 else 0.0, std=0.3)
        return model.eval()

    return build
