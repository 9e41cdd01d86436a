"""The classic GPT, on the same footing as a stranger's plugin."""

from __future__ import annotations

from tsws.plugin import Architecture, hookimpl
from tsws_gpt.architecture import GPTArchitecture

__all__ = ["tsws_architectures"]


@hookimpl
def tsws_architectures() -> list[type[Architecture]]:
    """``arch = "gpt"``."""
    return [GPTArchitecture]
