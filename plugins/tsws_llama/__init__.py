"""The Llama and its file formats, on the same footing as a stranger's plugin."""

from __future__ import annotations

from tsws.plugin import Architecture, Exporter, hookimpl
from tsws_llama.architecture import LlamaArchitecture
from tsws_llama.exporters import Llama2cExporter, SafetensorsExporter

__all__ = ["tsws_architectures", "tsws_exporters"]


@hookimpl
def tsws_architectures() -> list[type[Architecture]]:
    """``arch = "llama"``."""
    return [LlamaArchitecture]


@hookimpl
def tsws_exporters() -> list[type[Exporter]]:
    """``format = "llama2c"`` and ``format = "safetensors"``."""
    return [Llama2cExporter, SafetensorsExporter]
