"""The interfaces that a plugin implements, but for backends, which have a module of their own (``backend.py``).

Third parties import these from ``tsws.plugin``; so do the plugins that come with tsws.

Every interface is small, and everything that crosses it is plain data. A class is handed to tsws by
a hook (``tsws/plugin/hookspecs.py``); importing a plugin module must be cheap, so import
torch, modal, httpx2 and the like inside the methods that need them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    import torch


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a plugin that has none."""


# --- volumes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileStat:
    """A file on a volume."""

    path: str
    """Relative to the volume's root, with ``/``; never absolute, never with ``..``."""
    size: int
    """In bytes."""
    mtime: float
    """Seconds since the epoch."""
    sha256: str | None = None
    """When the volume knows it without reading the file."""


class Volume(ABC):
    """A place for files elsewhere: a folder, an object store, a cloud volume.

    Five verbs, streamed. A reader sees the old file or the new one, never a mixture and never a part.

    >>> class Attic(Volume):
    ...     kind = "attic"
    ...     Options = AtticOptions          # a frozen msgspec struct: keys of [volume.NAME] beside kind and sync
    """

    kind: ClassVar[str]
    """What ``[volume.NAME] kind = "..."`` says."""
    Options: ClassVar[type[msgspec.Struct]] = NoOptions

    def __init__(self, name: str, options: Any, base: Path) -> None:
        """
        Args:
            name: of the ``[volume.NAME]`` table.
            options: an instance of ``Options``.
            base: the folder that relative paths in the options are relative to (the workspace).
        """
        self.name = name
        self.options = options
        self.base = base

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[FileStat]:
        """Every file whose path begins with ``prefix``, sorted by path.

        Raises:
            VolumeError: the volume can not be reached. A volume that does not exist yet is empty.
        """

    @abstractmethod
    def stat(self, path: str) -> FileStat | None:
        """One file, or None when there is none."""

    @abstractmethod
    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a file from ``offset`` on, in chunks.

        Raises:
            FileNotFoundError: no such file.
            VolumeError: the volume can not be reached.
        """

    @abstractmethod
    def write(self, path: str, chunks: Iterable[bytes]) -> FileStat:
        """Replace or create a file, atomically for readers; the volume itself is created when missing.

        When ``chunks`` raises, the old file (or none) stays.

        Raises:
            VolumeError: the volume can not be reached, or is full.
        """

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""

    def exists(self) -> bool:
        """Whether the volume itself is there, for a plan to say that it will be created; asked only with ``--refresh``.

        Raises:
            VolumeError: it can not be reached.
        """
        return True

    def local_path(self) -> Path | None:
        """The folder in which the volume's files lie on this machine, or None when they do not.

        A volume that has one can be worked in by backends that run here.
        """
        return None

    @property
    def is_near(self) -> bool:
        """True when looking at it costs nothing, so that ``tsws plan`` may; False asks for ``--refresh``."""
        return self.local_path() is not None


# --- fetchers ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Origin:
    """What a URI stands for right now."""

    uri: str
    """As the manifest has it."""
    url: str
    """Where the bytes are: resolved, with the commit or version in it where there is one."""
    filename: str
    """A plain file name for the download, without folders."""
    size: int | None = None
    """In bytes, when the server says it."""
    version: str | None = None
    """An entity tag or commit: when it changes, a partial download is started again."""
    sha256: str | None = None
    """When the server states it."""


@dataclass(frozen=True)
class Stream:
    """An open transfer."""

    offset: int
    """Where it really begins: 0 when the server would not continue."""
    total: int | None
    """Size of the whole file, when known."""
    chunks: Iterator[bytes]


class Fetcher(ABC):
    """Makes a URI scheme fetchable. tsws itself does the resuming, verifying and pinning."""

    schemes: ClassVar[tuple[str, ...]]
    """What stands before ``://`` (or ``:``), in lower case."""

    @abstractmethod
    def resolve(self, uri: str) -> Origin:
        """Find out what a URI stands for, without fetching it.

        Raises:
            FetchError: not found, no permission, no network; the hint says what to do.
        """

    @abstractmethod
    def open(self, origin: Origin, offset: int = 0) -> AbstractContextManager[Stream]:
        """Begin to transfer at ``offset`` (or at 0, saying so in ``Stream.offset``).

        Raises:
            FetchError: as above. An ``OSError`` (``tsws.io.retry.TryAgain`` says when), here, in ``resolve`` or while
                reading chunks, means "try again from where it broke".
        """


# --- models --------------------------------------------------------------------------------------


class Architecture(ABC):
    """A kind of language model: ``[model.*] arch = "..."``."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised when the same config and seed would give other weights."""
    Options: ClassVar[type[msgspec.Struct]] = NoOptions
    """Keys of ``[model.*] options`` that only this architecture has."""
    torch_checkpoints: ClassVar[bool] = False
    """Whether its runs leave ``checkpoint.pt`` and ``model_best.pt`` in their folder, and begin with such files of others."""

    @abstractmethod
    def build(self, config: Mapping[str, Any]) -> torch.nn.Module:
        """A freshly initialised model; randomness comes from torch's global generator.

        Its ``forward(tokens, targets=None)`` takes int64 ``(batch, seq)`` and returns ``(logits, loss)``: logits
        ``(batch, seq, vocab_size)``; loss the mean cross-entropy in nats a token, or None without targets. It can tell
        stories when it is a ``tsws.model.generate.Storyteller``, too.

        Args:
            config: the model's fields (dim, n_layers, ...), ``vocab_size`` and the options.
        """


class Exporter(ABC):
    """Turns trained weights into a file of some format: ``[export.*] format = "..."``."""

    format: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised when the same weights would give other bytes."""
    suffix: ClassVar[str]
    """Of the file it writes, such as ``.bin``."""
    Options: ClassVar[type[msgspec.Struct]] = NoOptions
    """Keys of ``[export.*] options``: a frozen msgspec struct."""

    @abstractmethod
    def export(self, weights: Path, config: Mapping[str, Any], destination: Path, options: Any) -> None:
        """Write ``destination`` (a temporary name: tsws publishes it).

        Args:
            weights: a safetensors file with the model's state dict, float32.
            config: the model's config, ``arch`` included.
            destination: where to write.
            options: an instance of ``Options``.

        Raises:
            FormatError: this architecture does not fit the format.
        """
