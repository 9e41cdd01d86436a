"""Where the files of a resource come from: a URI that is fetched and pinned, or a person's own file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tsws.errors import TswsError
from tsws.fetch.download import download
from tsws.fetch.lockfile import LockFile, add
from tsws.plugin import Plugins
from tsws.reconcile.action import Change, Estimate
from tsws.reconcile.resource import Making
from tsws.reconcile.sources import expand

LOCK_NAME = "tinystories.lock"


def is_uri(source: str) -> bool:
    """Whether a source has to be fetched: it has a scheme (``https://``, ``hf://``), and is no path (``file:`` is one)."""
    scheme, colon, _ = source.partition(":")
    if scheme == "file":
        return False
    return bool(colon) and len(scheme) > 1 and scheme.replace("+", "").replace("-", "").isalnum()


def as_list(source: str | Sequence[str]) -> tuple[str, ...]:
    """A source as the manifest has it, one or several."""
    return (source,) if isinstance(source, str) else tuple(source)


def own_files(source: str | Sequence[str] | None) -> tuple[str, ...]:
    """The sources that are a person's own files: paths or globs, relative to the workspace or absolute."""
    return tuple(own_path(one) for one in as_list(source or ()) if not is_uri(one))


def own_path(source: str) -> str:
    """The path that a source means: ``file:stories.txt`` and ``file:///data/stories.txt`` are paths too."""
    return unquote(re.sub(r"^file:(//(localhost)?(?=/))?", "", source)) if source.startswith("file:") else source


def file_name(uri: str) -> str:
    """The last part of a URI or path, as a file name."""
    name = unquote(urlsplit(uri).path or uri).rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "file"


@dataclass(frozen=True)
class Fetching:
    """Brings the files of a source to disk, with the plugins' fetchers."""

    plugins: Plugins

    def bring(self, making: Making, source: str, *, sha256: str | None = None) -> list[Path]:
        """The files that one source stands for.

        A person's own files stay where they are; what is fetched lands in ``making.folder``.

        Raises:
            FetchError: it could not be fetched.
            VerifyError: it is not what it was before, or not what the manifest says.
        """
        if not is_uri(source):
            return list(expand(making.root, own_path(source)))
        return [self.fetch(making, source, sha256=sha256)]

    def fetch(self, making: Making, uri: str, *, sha256: str | None = None) -> Path:
        """Fetch one URI into ``making.folder``, verify it against its pin, and pin it when it is new."""
        fetcher = self.plugins.fetcher_for(uri)
        lock_path = making.root / LOCK_NAME
        pin = None if making.anew else LockFile.load(lock_path).pin_for(uri)
        destination = making.folder / "fetched" / file_name(uri)
        try:
            fetched = download(
                uri,
                destination,
                fetcher=fetcher,
                partial=making.root / ".tsws" / "partial",
                pin=pin,
                sha256=sha256,
                progress=making.progress(f"fetching {destination.name}", "B"),
                stop=making.stop,
            )
        except TswsError as error:  # a download does not know which resource it is for
            error.hint = error.hint and error.hint.replace("ADDRESS", making.resource.address)
            raise
        add(lock_path, fetched.pin())
        return destination


def estimate_fetch(root: Path, sources: Sequence[str], change: Change) -> Estimate | None:
    """What fetching some sources takes, as far as their pins tell."""
    uris = [source for source in sources if is_uri(source) and not source.startswith("builtin:")]
    if not uris or change is Change.RESTORE:
        return None
    lock = LockFile.load(root / LOCK_NAME)
    sizes = [pin.size for pin in map(lock.pin_for, uris) if pin is not None]
    if len(sizes) < len(uris):
        return Estimate(basis="the size is known once it was fetched")
    return Estimate(bytes=sum(sizes), basis=f"pinned in {LOCK_NAME}")
