"""Plugins as an installation has them, without importing any."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tsws.plugin import NoOptions, Plugins


class LocalOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    threads: int | None = None


class FolderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str


class NoteSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    copies: int = 1

    def __post_init__(self) -> None:
        if self.copies > len(self.text):
            raise ValueError("more copies than letters")


def provider(options: type[msgspec.Struct]) -> Any:
    """A class that has what checking looks at."""
    return type("Provider", (), {"Options": options, "suffix": ".bin"})


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    """``local``, ``folder``, ``llama``, ``llama2c``, the fetchers and a table ``note``."""
    return Plugins(
        backends={"local": provider(LocalOptions)},
        volumes={"folder": provider(FolderOptions)},
        architectures={"llama": provider(NoOptions)},
        exporters={"llama2c": provider(NoOptions), "safetensors": provider(NoOptions)},
        fetchers=dict.fromkeys(["file", "github", "hf", "http", "https"], provider(NoOptions)),
        tables={"note": NoteSpec},
    )
