"""Where the files of a resource come from: a URI that is fetched and pinned, or a person's own file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from tsws.errors import FormatError, TswsError, VerifyError
from tsws.fetch.download import download
from tsws.fetch.lockfile import LockFile, Pin, add
from tsws.io.digest import sha256_file
from tsws.manifest.sources import scheme
from tsws.plugin import Plugins
from tsws.reconcile.action import Change, Estimate
from tsws.reconcile.resource import Making
from tsws.reconcile.sources import expand

LOCK_NAME = "tinystories.lock"
_LONGEST_NAME = 100
"""Characters kept of a name, its end: file systems take 255, and what is made of it needs some."""


def is_uri(source: str) -> bool:
    """Whether a source has to be fetched: it has a scheme (``https://``, ``hf://``), and is no path (``file:`` is one)."""
    return scheme(source) not in {None, "file"}


def as_list(source: str | Sequence[str]) -> tuple[str, ...]:
    """A source as the manifest has it, one or several."""
    return (source,) if isinstance(source, str) else tuple(source)


def own_files(source: str | Sequence[str] | None) -> tuple[str, ...]:
    """The sources that are a person's own files: paths or globs, relative to the workspace or absolute."""
    return tuple(own_path(one) for one in as_list(source or ()) if not is_uri(one))


def own_path(source: str) -> str:
    """The path that a source means: ``file:stories.txt`` and ``file:///data/stories.txt`` are paths too.

    A name that ends with ``/`` is a folder, and means the files in it.
    """
    path = source
    if scheme(source) == "file":
        path = unquote(re.sub(r"^//(localhost)?(?=/)", "", source.partition(":")[2]))
    return f"{path}*" if path.endswith("/") else path


def file_name(uri: str) -> str:
    """The last part of a URI's path as a file name of plain characters, never empty."""
    path = re.split(r"[?#]", uri, maxsplit=1)[0]
    name = unquote(path).rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".")[-_LONGEST_NAME:] or "file"


@dataclass(frozen=True)
class Fetching:
    """Brings the files of a source to disk, with the plugins' fetchers."""

    plugins: Plugins

    def bring(self, making: Making, source: str, *, sha256: str | None = None, into: str = "") -> list[Path]:
        """The files that one source stands for.

        A person's own files stay where they are; what is fetched lands in ``making.folder``.

        Args:
            making: of the resource that needs them.
            source: as the manifest has it.
            sha256: what the manifest expects, in hex.
            into: a part of ``making.folder`` of its own, where there are several sources: files of one name may come
                from different addresses.

        Raises:
            FetchError: it could not be fetched.
            VerifyError: it is not what it was before, or not what the manifest says.
        """
        if is_uri(source):
            return [self.fetch(making, source, sha256=sha256, into=into)]
        found = list(expand(making.root, own_path(source)))
        if sha256 is not None:
            _verify_own(making, found, sha256)
        return found

    def bring_one(self, making: Making, source: str, *, place: str, sha256: str | None = None) -> tuple[Path, bool]:
        """The one file that a source stands for, and whether it is ours to move.

        A person's file that stands at ``place`` already stays there; from elsewhere it is copied into ``making.folder``.

        Raises:
            FormatError: the source names no file, or several.
            FetchError, VerifyError: as :meth:`bring`.
        """
        found = self.bring(making, source, sha256=sha256)
        if len(found) != 1:
            raise FormatError(
                f"{making.resource.address}: {source} names {len(found)} files, expected one",
                hint="name one file as its `source`",
            )
        if found[0] == making.root / place:
            return found[0], False
        if found[0].is_relative_to(making.folder):
            return found[0], True
        copy = making.folder / "copied" / found[0].name
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(found[0], copy)
        return copy, True

    def fetch(self, making: Making, uri: str, *, sha256: str | None = None, into: str = "") -> Path:
        """Fetch one URI into ``making.folder``, verify it against its pin, and pin it when it is new."""
        lock_path = making.root / LOCK_NAME
        pin = None if making.anew else LockFile.load(lock_path).pin_for(uri)
        destination = making.folder / "fetched" / into / file_name(uri)
        if pin is not None and sha256 in {None, pin.sha256} and _is_there(destination, pin):
            return destination  # fetched by an earlier try that was killed before it was done with everything
        try:
            fetched = download(
                uri,
                destination,
                fetcher=self.plugins.fetcher_for(uri),
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


def _is_there(path: Path, pin: Pin) -> bool:
    return path.is_file() and path.stat().st_size == pin.size and sha256_file(path) == pin.sha256


def _verify_own(making: Making, paths: Sequence[Path], sha256: str) -> None:
    """A person's own file is held to the digest in the manifest, too.

    Raises:
        VerifyError: it is another one, or not one file.
    """
    address = making.resource.address
    if len(paths) != 1:
        raise VerifyError(
            f"{address}: `sha256` is that of one file, but its source names {len(paths)}",
            hint="name one file, or leave `sha256` out",
        )
    if (found := sha256_file(paths[0])) != sha256:
        raise VerifyError(
            f"{address}: {paths[0]} has sha256 {found}, but the manifest says {sha256}",
            hint="correct `sha256` in the manifest, or put the right file there",
        )


def unpacked(making: Making, path: Path, into: str, *, alone: bool = False) -> list[Path] | None:
    """The files in an archive, in a folder of its own; None for a file that is none.

    A lone ``.gz`` is no archive unless ``alone`` says so: texts are read as they are.
    """
    from tsws.io.archives import is_archive, unpack

    lone = path.suffix == ".gz" and not path.name.lower().endswith((".tar.gz", ".tgz"))
    if not is_archive(path.name) or (lone and not alone):
        return None
    folder = making.folder / "unpacked" / into / path.name
    members = sorted(unpack(path, folder, progress=making.progress(f"unpacking {path.name}", "B")))
    if path.is_relative_to(making.folder):
        path.unlink()
    return members


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
