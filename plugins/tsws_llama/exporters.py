"""``[export.*] format = "llama2c"`` and ``"safetensors"``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from tsws.errors import FormatError
from tsws.model.config import LlamaConfig
from tsws.plugin import Exporter


class Llama2cOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of ``format = "llama2c"``."""

    version: Annotated[
        Literal[0, 1, 2],
        Meta(description="Of the format: 0 or 1 hold float32; 2 holds int8 and is a quarter of the size."),
    ] = 0
    group_size: Annotated[
        int | None,
        Meta(
            description="Of version 2: weights that share a scale; the largest power of two up to 64 that divides every row."
        ),
    ] = None


class Llama2cExporter(Exporter):
    """llama2.c's ``model.bin``: what the native program plays."""

    format: ClassVar[str] = "llama2c"
    suffix: ClassVar[str] = ".bin"
    Options: ClassVar[type[msgspec.Struct]] = Llama2cOptions

    def export(self, weights: Path, config: Mapping[str, Any], destination: Path, options: Any) -> None:
        """Write the model file.

        Raises:
            FormatError: not a Llama, one with a ``norm_eps`` or ``rope_theta`` that the format can not say, or a group
                size that does not divide every row.
        """
        from tsws.model.llama2c import write_model
        from tsws.model.weights import load_weights

        arch = config.get("arch", "llama")
        if arch != "llama":
            raise FormatError(
                f"llama2.c's format holds Llamas; {weights.name} is of the architecture {arch!r}",
                hint='export it with format = "safetensors"',
            )
        write_model(
            destination,
            LlamaConfig.from_fields(config),
            load_weights(weights),
            version=options.version,
            group_size=options.group_size,
        )


class SafetensorsExporter(Exporter):
    """The state dict in float32, with the model's config in the metadata: for any architecture."""

    format: ClassVar[str] = "safetensors"
    suffix: ClassVar[str] = ".safetensors"

    def export(self, weights: Path, config: Mapping[str, Any], destination: Path, options: Any) -> None:  # noqa: ARG002
        """Write the weights file."""
        from tsws.model.weights import load_weights, save_weights

        save_weights(destination, load_weights(weights), config)
