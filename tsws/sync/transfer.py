"""Moving one file. Nothing is overwritten that is not the file that the plan saw: both sides are looked at again
at the last moment, and what changed meanwhile is left alone."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tsws.errors import InterruptedByUser, VerifyError, VolumeError
from tsws.io.atomic import publish
from tsws.io.digest import CHUNK
from tsws.io.paths import inside
from tsws.plugin import FileStat, Volume
from tsws.sync.base import Agreed, agreed_on, identity
from tsws.sync.conflicts import ChangedMeanwhile
from tsws.sync.observe import local_version
from tsws.sync.partial import Partial
from tsws.sync.remote_digest import sha256_of_remote
from tsws.sync.step import Change, Step, Version


@dataclass(frozen=True)
class Transfer:
    """How files move between a workspace and a volume."""

    root: Path
    volume: Volume
    progress: Callable[[str, float, float | None], None]
    """Told the path, the bytes done and the bytes in all of one file."""
    stop: Callable[[], bool]
    """True when the transfer should end; a partial download is kept."""

    def carry_out(self, step: Step) -> Agreed | None:
        """Do what a step says.

        Returns:
            What both sides now agree on; None for a file that is gone.

        Raises:
            ChangedMeanwhile: a side is not as the plan saw it; it was left alone.
            VolumeError: the volume can not be reached, or is full.
            VerifyError: other bytes arrived than were promised.
            InterruptedByUser: it was stopped.
        """
        self._check_stop()
        try:
            return self._attempt(step)
        except ChangedMeanwhile:
            agreed = self._agreed_meanwhile(step.path)  # another sync may have done the very same
            if agreed is None:
                raise
            return agreed

    def _attempt(self, step: Step) -> Agreed | None:
        match step:
            case Step(change=Change.PUSH, local=Version(sha256=str() as sha256) as local):
                return self._push(step, local, sha256)
            case Step(change=Change.PULL, remote=Version() as remote):
                return self._pull(step, remote)
            case Step(change=Change.DELETE_HERE):
                self._check_there(step)
                self._check_here(step)
                inside(self.root, step.path).unlink(missing_ok=True)
            case Step(change=Change.DELETE_THERE):
                self._check_here(step)
                self._check_there(step)
                self.volume.remove(step.path)
        return None

    def _push(self, step: Step, local: Version, sha256: str) -> Agreed:
        self._check_there(step)
        written = self.volume.write(step.path, self._outgoing(step, local))
        if written.size != local.size or (written.sha256 or sha256) != sha256:
            raise VerifyError(
                f"volume {self.volume.name} holds other bytes of {step.path} than were sent",
                hint=f"run `tsws sync --force --push {step.path}`; if it happens again, the volume's storage is at fault",
            )
        return agreed_on(Version(written.size, written.mtime, None), sha256, seen=time.time())

    def _outgoing(self, step: Step, local: Version) -> Iterator[bytes]:
        """The file's bytes. An error at the end keeps the volume from publishing them."""
        digest = hashlib.sha256()
        done = 0
        self.progress(step.path, done, local.size)
        with open(inside(self.root, step.path), "rb") as file:
            while chunk := file.read(CHUNK):
                self._check_stop()
                digest.update(chunk)
                yield chunk
                done += len(chunk)
                self.progress(step.path, done, local.size)
        if digest.hexdigest() != local.sha256:
            raise ChangedMeanwhile("changed here while it was pushed")
        self._check_there(step)

    def _pull(self, step: Step, remote: Version) -> Agreed:
        found = self._check_there(step)
        sha256 = found.sha256 if found is not None else None
        folder = self.root / ".tsws" / "tmp"
        with Partial(folder, identity(self.volume), step.path, remote, sha256) as partial:
            self._receive(step, remote, partial)
            received = partial.finish()
            seen = time.time()
            try:
                self._check_there(step)
                self._check_received(step, remote, partial, received)
                self._check_here(step)
            except (ChangedMeanwhile, VerifyError):
                partial.discard()
                raise
            if step.local is None or step.local.sha256 != received:
                target = inside(self.root, step.path)
                if step.local is not None:
                    shutil.copymode(target, partial.path)
                publish(partial.path, target)
            partial.discard()
        return agreed_on(remote, received, seen=seen)

    def _receive(self, step: Step, remote: Version, partial: Partial) -> None:
        self.progress(step.path, partial.done, remote.size)
        try:
            for chunk in self.volume.read(step.path, partial.done):
                partial.write(chunk)
                self.progress(step.path, partial.done, remote.size)
                self._check_stop()
        except FileNotFoundError:
            raise ChangedMeanwhile("removed on the volume while it was pulled") from None

    def _check_received(self, step: Step, remote: Version, partial: Partial, received: str) -> None:
        if partial.done < remote.size:
            raise VolumeError(
                f"volume {self.volume.name} ended {step.path} after {partial.done} of {remote.size} bytes",
                hint="run the same command again: it goes on from there",
            )
        if partial.done > remote.size or (remote.sha256 or received) != received:
            raise VerifyError(
                f"{step.path} arrived from volume {self.volume.name} with other bytes than the volume promised",
                hint="run the same command again; if it happens again, the volume's copy is damaged",
            )

    def _agreed_meanwhile(self, path: str) -> Agreed | None:
        local, found, seen = local_version(self.root, path), self.volume.stat(path), time.time()
        if local is None or local.sha256 is None or found is None or found.size != local.size:
            return None
        if (found.sha256 or sha256_of_remote(self.volume, found)) != local.sha256:
            return None
        return agreed_on(Version(found.size, found.mtime, None), local.sha256, seen=seen)

    def _check_here(self, step: Step) -> None:
        now = local_version(self.root, step.path)
        if (now and now.sha256) != (step.local and step.local.sha256):
            raise ChangedMeanwhile("changed here since it was looked at")

    def _check_there(self, step: Step) -> FileStat | None:
        found = self.volume.stat(step.path)
        now = (found.size, found.mtime) if found else None
        was = (step.remote.size, step.remote.mtime) if step.remote else None
        said = found.sha256 if found else None
        expected = step.remote.sha256 if step.remote else None
        if now != was or (said is not None and expected is not None and said != expected):
            raise ChangedMeanwhile("changed on the volume since it was looked at")
        return found

    def _check_stop(self) -> None:
        if self.stop():
            raise InterruptedByUser("the sync was stopped; what was transferred is kept")
