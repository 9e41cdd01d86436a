"""``[export.*] format = "llama2c"`` and ``"safetensors"``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tsws.errors import FormatError
from tsws.model.config import LlamaConfig
from tsws.plugin import Exporter


class Llama2cExporter(Exporter):
    """llama2.c's ``model.bin``, version 0: what the native program plays."""

    format: ClassVar[str] = "llama2c"
    suffix: ClassVar[str] = ".bin"

    def export(self, weights: Path, config: Mapping[str, Any], destination: Path, options: Any) -> None:  # noqa: ARG002
        """Write the model file.

        Raises:
            FormatError: not a Llama, or one with a ``norm_eps`` or ``rope_theta`` that the format can not say.
        """
        from tsws.model.llama2c import write_model
        from tsws.model.weights import load_weights

        arch = config.get("arch", "llama")
        if arch != "llama":
            raise FormatError(
                f"llama2.c's format holds Llamas; {weights.name} is of the architecture {arch!r}",
                hint='export it with format = "safetensors"',
            )
        write_model(destination, LlamaConfig.from_fields(config), load_weights(weights))


class SafetensorsExporter(Exporter):
    """The state dict in float32, with the model's config in the metadata: for any architecture."""

    format: ClassVar[str] = "safetensors"
    suffix: ClassVar[str] = ".safetensors"

    def export(self, weights: Path, config: Mapping[str, Any], destination: Path, options: Any) -> None:  # noqa: ARG002
        """Write the weights file."""
        from tsws.model.weights import load_weights, save_weights

        save_weights(destination, load_weights(weights), config)
