"""Getting the bytes of one file: attempt after attempt, each from where the last one broke."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tsws.errors import FetchError, InterruptedByUser
from tsws.fetch.partial import Partial
from tsws.fetch.promise import Promise, gone
from tsws.io.retry import TryAgain
from tsws.io.sizes import format_bytes
from tsws.plugin import Fetcher, Origin

LONGEST_WAIT = 120.0
"""Seconds that a server may ask us to wait; one that asks for more is given up."""
_STOP_INTERVAL = 0.1
"""Seconds between looks at whether to stop, while waiting."""


@dataclass(frozen=True)
class Transfer:
    """One attempt to get everything; what it received stays in ``part`` for the next."""

    uri: str
    fetcher: Fetcher
    part: Partial
    promise: Promise
    report: Callable[[int, int | None], None]
    stop: Callable[[], bool]

    def attempt(self) -> Origin:
        """Get the rest of the file and verify the whole.

        Raises:
            OSError: the transfer broke; another attempt goes on from there.
            FetchError, VerifyError, InterruptedByUser: see :func:`download`.
        """
        now = self.fetcher.resolve(self.uri)
        origin = self.promise.choose(now)
        with disk_errors(self.part.path):
            self.part.continue_from(origin)
        self._check_room(origin)
        if origin.size is None or self.part.done < origin.size:
            try:
                self._receive(origin)
            except FetchError as error:
                raise error if origin.url == now.url else gone(origin, error) from error
        self._verify(origin)
        return origin

    def _receive(self, origin: Origin) -> None:
        with self.fetcher.open(origin, self.part.done) as stream:
            if stream.offset != self.part.done:
                if stream.offset != 0:
                    raise FetchError(
                        f"{self.uri}: asked for bytes from {self.part.done} on, the server began at {stream.offset}",
                        hint="this server can not continue downloads properly; report it to whoever runs it",
                    )
                self.part.restart()
            total = stream.total if stream.total is not None else origin.size
            if origin.size is not None and total != origin.size:
                self.part.restart()
                raise TryAgain(f"the file has {total} bytes now, a moment ago it had {origin.size}")
            try:
                for chunk in stream.chunks:
                    self._write(chunk, origin, total)
                    if self.stop():
                        raise InterruptedByUser(
                            f"stopped while fetching {self.uri}, after {format_bytes(self.part.done)}",
                            hint="what was received is kept: run the command again to go on",
                        )
            finally:
                with disk_errors(self.part.path):
                    self.part.mark(origin)
        if total is not None and self.part.done < total:
            raise TryAgain(f"the connection closed after {self.part.done} of {total} bytes")

    def _write(self, chunk: bytes, origin: Origin, total: int | None) -> None:
        with disk_errors(self.part.path):
            self.part.write(chunk)
            if self.part.is_mark_due():
                self.part.mark(origin)
        self.report(self.part.done, total)

    def _check_room(self, origin: Origin) -> None:
        if origin.size is None:
            return
        needed = origin.size - self.part.done
        free = shutil.disk_usage(self.part.path.parent).free
        if needed > free:
            raise _disk_full(self.part.path, f"{format_bytes(needed)} are missing, {format_bytes(free)} are free")

    def _verify(self, origin: Origin) -> None:
        fault = self.promise.fault(origin, self.part.done, self.part.sha256)
        if fault is None:
            return
        resumed = self.part.resumed
        with disk_errors(self.part.path):
            self.part.restart()
            self.part.mark(origin)
        if resumed:  # the parts may be of two versions: once more from the beginning
            raise TryAgain("what was received earlier and now does not fit together")
        raise fault


def with_patience(transfer: Transfer, attempts: int, backoff: Callable[[int], float]) -> Origin:
    """Attempt a transfer until it succeeds, or fails for good, or fails too often without getting further."""
    failed = 0
    furthest = 0
    while True:
        try:
            return transfer.attempt()
        except OSError as error:
            if transfer.part.done > furthest:
                furthest = transfer.part.done
                failed = 0
            failed += 1
            after = error.after if isinstance(error, TryAgain) else None
            if failed >= attempts or (after is not None and after > LONGEST_WAIT):
                raise _given_up(transfer.uri, error, failed, after) from error
            _wait(max(backoff(failed), after or 0.0), transfer)


def _wait(seconds: float, transfer: Transfer) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if transfer.stop():
            raise InterruptedByUser(
                f"stopped while waiting to go on with {transfer.uri}",
                hint="what was received is kept: run the command again to go on",
            )
        time.sleep(min(left, _STOP_INTERVAL))


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Tell the disk's errors, which no retry heals, from the network's."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _disk_full(path, error.strerror or "no space left") from error
        raise FetchError(
            f"{path} can not be written: {error.strerror or error}", hint="look at the folder's permissions"
        ) from error


def _disk_full(path: Path, detail: str) -> FetchError:
    return FetchError(
        f"the disk of {path.parent} is full: {detail}",
        hint="make room and run the command again; what was received is kept",
    )


def _given_up(uri: str, error: OSError, failed: int, after: float | None) -> FetchError:
    if after is not None and after > LONGEST_WAIT:
        return FetchError(
            f"{uri} could not be fetched: {error}, and the server asks to wait for {after:.0f} s",
            hint="run the command again later; what was received is kept",
        )
    return FetchError(
        f"{uri} could not be fetched: {error} ({failed} attempts)",
        hint="look at the network, then run the command again; what was received is kept",
    )
