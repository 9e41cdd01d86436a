"""Fetching one file: streamed, resumed, verified, published at once.

A fetcher (a plugin) knows where the bytes are and brings them; everything that makes a download dependable is here
and in ``transfer.py``.
"""

from __future__ import annotations

import errno
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tsws.errors import InterruptedByUser, LockedError
from tsws.fetch.lockfile import Pin
from tsws.fetch.partial import Partial
from tsws.fetch.promise import Promise
from tsws.fetch.transfer import Transfer, disk_errors, with_patience
from tsws.io.atomic import atomic_writer, publish
from tsws.io.digest import CHUNK
from tsws.io.locks import resource_lock
from tsws.plugin import Fetcher, Origin

PROGRESS_INTERVAL = 0.1
"""Seconds between two progress reports at least."""
_STOP_INTERVAL = 0.1
"""Seconds between looks at whether to stop, while waiting."""


@dataclass(frozen=True)
class Fetched:
    """A file that was fetched and verified."""

    origin: Origin
    """Where it came from."""
    size: int
    """In bytes."""
    sha256: str

    def pin(self) -> Pin:
        """What to write into the lock file."""
        return Pin(
            uri=self.origin.uri, url=self.origin.url, size=self.size, sha256=self.sha256, version=self.origin.version
        )


def exponential_backoff(attempt: int) -> float:
    """Seconds to wait after failed attempt number ``attempt`` (from 1): 0.5, 1, 2, 4... with jitter, 30 at most."""
    return min(30.0, 0.5 * 2.0 ** (attempt - 1)) * random.uniform(0.75, 1.25)


def _silent(done: float, total: float | None) -> None:
    """The progress callback of callers that do not listen."""


def _never() -> bool:
    """The stop callback of callers that never stop."""
    return False


def download(
    uri: str,
    destination: Path,
    *,
    fetcher: Fetcher,
    partial: Path,
    pin: Pin | None = None,
    sha256: str | None = None,
    progress: Callable[[float, float | None], None] = _silent,
    stop: Callable[[], bool] = _never,
    attempts: int = 5,
    backoff: Callable[[int], float] = exponential_backoff,
) -> Fetched:
    """Fetch a file, in constant memory, going on where an earlier attempt of any process ended.

    Args:
        uri: what to fetch.
        destination: the final name; it appears when everything is verified, and not before.
        fetcher: knows the URI's scheme.
        partial: folder for unfinished files, on the file system of ``destination`` if possible.
        pin: what the URI is pinned to, None to take what there is now. Where the address has moved on
            (a branch with new commits), the bytes of the pinned version are fetched.
        sha256: what the manifest expects, in hex.
        progress: hears bytes done and bytes in all (None: not known), a few times a second and at the end.
        stop: asked often; True ends the download, and what was received is kept.
        attempts: how many times in a row to try without getting any further.
        backoff: seconds to wait after failed attempt number 1, 2, ...

    Raises:
        FetchError: not found, no permission, no network, disk full.
        VerifyError: the bytes are not those that manifest, lock file or server promise; ``destination`` is untouched.
        InterruptedByUser: ``stop()`` said so.
    """
    promise = Promise(uri, pin=pin, sha256=sha256)
    with disk_errors(partial):
        partial.mkdir(parents=True, exist_ok=True)
    with _turn(partial, uri, stop), _open_partial(partial, uri) as part:
        transfer = Transfer(uri, fetcher, part, promise, _Reporter(progress), stop)
        origin = with_patience(transfer, attempts, backoff)
        digest, size = part.sha256, part.done
        progress(size, size)
        _publish(part, destination)
        return Fetched(replace(origin, size=size), size, digest)


class _Reporter:
    """Passes progress on, not too often."""

    def __init__(self, progress: Callable[[float, float | None], None]) -> None:
        self._progress = progress
        self._last = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._last >= PROGRESS_INTERVAL:
            self._last = now
            self._progress(done, total)


@contextmanager
def _turn(folder: Path, uri: str, stop: Callable[[], bool]) -> Iterator[None]:
    """Wait until nobody else fetches the same URI: two resources may share a source."""
    with ExitStack() as stack:
        while True:
            try:
                with disk_errors(folder):
                    stack.enter_context(resource_lock(Partial.lock_path(folder, uri), timeout=_STOP_INTERVAL))
                break
            except LockedError:
                if stop():
                    raise InterruptedByUser(f"stopped while another job fetches {uri}") from None
        yield


def _open_partial(folder: Path, uri: str) -> Partial:
    with disk_errors(folder):
        return Partial(folder, uri)


def _publish(part: Partial, destination: Path) -> None:
    with disk_errors(destination):
        try:
            publish(part.path, destination)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with part.path.open("rb") as source, atomic_writer(destination) as target:
                shutil.copyfileobj(source, target, CHUNK)
        part.remove()
