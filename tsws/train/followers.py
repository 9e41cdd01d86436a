"""The other processes of a run: how they are started, told what to do, found again and ended.

The process that trains (rank 0) starts those of its own machine itself. It has to be there anyway: it says the events, holds the
lock and hears signals; a launcher above it, as ``torchrun`` is one, would be one more process whose death has to be
survived. A follower is ``python -m tsws.train.follower`` with torchrun's variables in its environment, so those of other machines
are no different: there the worker starts them. It lives as long as the pipe to whoever started it.

All meet at a key-value store on rank 0's machine. Keys: ``order`` (what to train), ``ready/N``, ``failed/N`` (why).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self

import msgspec
import torch
import torch.distributed as dist
from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

from tsws.errors import TrainError
from tsws.train.rank import Rank
from tsws.train.settings import TrainSettings

PATIENCE = 600.0
"""Seconds that rank 0 waits for the others: machines may start minutes apart."""
_SILENCE = timedelta(hours=2)
"""The longest time between two steps: the others wait while rank 0 evaluates."""
_GRACE = 10.0
"""Seconds that a follower gets to end."""
_POLL = 0.02
_HERE = "127.0.0.1"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What rank 0 tells the others."""

    settings: TrainSettings
    train: tuple[str, ...]
    """Paths of the shards; the same on every machine."""
    val: tuple[str, ...]
    checkpoint: str | None
    """Where to go on from; None: from the beginning."""


class Followers:
    """Processes on this machine that compute beside rank 0, until the block ends."""

    def __init__(self, ranks: Iterable[Rank], address: str, port: int) -> None:
        self._processes = {rank.number: _start(rank, address, port) for rank in ranks}

    def wait(self) -> list[int]:
        """Wait for all of them to end by themselves, and return their exit statuses."""
        return [process.wait() for process in self._processes.values()]

    def dead(self) -> str | None:
        """Which one has ended, and how; None while all live."""
        for number, process in self._processes.items():
            if (status := process.poll()) is not None:
                how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
                return f"process {number} {how}"
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            if process.stdin is not None:
                process.stdin.close()  # their sign to end
        for process in self._processes.values():
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Leader:
    """Rank 0's view of the others."""

    def __init__(self, rank: Rank, store: TCPStore, followers: Followers) -> None:
        self.rank = rank
        self._store = store
        self._followers = followers

    def gather(self, order: Order, device: torch.device) -> None:
        """Tell all what to do, and wait until they are ready.

        Raises:
            TrainError: one of them can not take part, or did not come.
        """
        self._store.set("order", msgspec.json.encode(order).decode())
        waiting = set(range(1, self.rank.size))
        deadline = time.monotonic() + PATIENCE
        while waiting := {number for number in waiting if not self._store.check([f"ready/{number}"])}:
            reason = self._reason(waiting)
            if reason is None and time.monotonic() > deadline:
                reason = f"process {min(waiting)} did not come within {PATIENCE / 60:.0f} minutes"
            if reason is not None:
                raise _broken(order.settings.address, reason)
            time.sleep(_POLL)
        join(self._store, self.rank, device)

    def lost(self, address: str, error: RuntimeError) -> TrainError:
        """Why the others can not be reached any more."""
        deadline = time.monotonic() + _GRACE
        while (reason := self._reason(range(1, self.rank.size))) is None and time.monotonic() < deadline:
            time.sleep(_POLL)  # the connection breaks a moment before the process has ended
        return _broken(address, reason or f"the connection broke: {str(error).splitlines()[0]}")

    def _reason(self, numbers: Iterable[int]) -> str | None:
        for number in numbers:
            if self._store.check([f"failed/{number}"]):
                return f"process {number}: {self._store.get(f'failed/{number}').decode()}"
        return self._followers.dead()


@contextmanager
def leading(settings: TrainSettings, rank: Rank) -> Iterator[Leader]:
    """Start the other processes of this machine; in the end there are none, and no connection.

    Raises:
        TrainError: several machines are to train, and the environment does not say where they meet.
    """
    is_alone_here = rank.size == rank.local_size
    address, port = (_HERE, 0) if is_alone_here else meeting_place(settings.address)
    if is_alone_here:
        _stay_inside()
    store = TCPStore(address, port, is_master=True, wait_for_workers=False, timeout=_SILENCE)
    numbers = range(1, rank.local_size)
    ranks = (Rank(number, rank.size, number, rank.local_size) for number in numbers)
    with Followers(ranks, address, store.port) as followers:
        try:
            yield Leader(rank, store, followers)
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()


def meeting_place(address: str) -> tuple[str, int]:
    """Host and port of rank 0, as the environment says them.

    Raises:
        TrainError: it does not.
    """
    try:
        return os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    except (KeyError, ValueError) as error:
        raise TrainError(
            f"{address}: several machines are to train it, and the environment does not say where they meet: {error}",
            hint="the backend has to give MASTER_ADDR, MASTER_PORT and NODE_RANK; leave out `nodes` for one machine",
        ) from error


def node_rank() -> int:
    """The number of this machine among those that train together: 0 leads."""
    return int(os.environ.get("NODE_RANK", "0"))


def serve_node(address: str, *, processes: int, nodes: int) -> None:
    """Be one of the machines that do not lead: compute until the run has ended.

    Args:
        address: of the run.
        processes: on each machine.
        nodes: machines.

    Raises:
        TrainError: a process failed, or lost the leading machine.
    """
    first = node_rank() * processes
    ranks = [Rank(first + local, processes * nodes, local, processes) for local in range(processes)]
    with Followers(ranks, *meeting_place(address)) as followers:
        if any(followers.wait()):
            raise _broken(address, "the leading machine has stopped, or can not be reached")


def connect(timeout: timedelta = _SILENCE) -> tuple[TCPStore, Rank]:
    """A follower's way to rank 0's store, and which rank it is: both from its environment."""
    number, size, local, local_size = (
        int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    )
    if size == local_size:
        _stay_inside()
    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), timeout=timeout)
    return store, Rank(number, size, local, local_size)


def join(store: TCPStore, rank: Rank, device: torch.device) -> None:
    """Enter the process group; all have to, at about the same time."""
    is_cuda = device.type == "cuda"
    dist.init_process_group(
        "nccl" if is_cuda else "gloo",
        store=PrefixStore("group", store),
        rank=rank.number,
        world_size=rank.size,
        timeout=_SILENCE,
        device_id=device if is_cuda else None,
    )


def _start(rank: Rank, address: str, port: int) -> subprocess.Popen[bytes]:
    variables = {
        "MASTER_ADDR": address,
        "MASTER_PORT": port,
        "RANK": rank.number,
        "WORLD_SIZE": rank.size,
        "LOCAL_RANK": rank.local,
        "LOCAL_WORLD_SIZE": rank.local_size,
    }
    # -P: what lies in the workspace is data, and never imported. Standard output may be where events go.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "tsws.train.follower"],
        env={**os.environ, **{name: str(value) for name, value in variables.items()}},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )


def _stay_inside() -> None:
    """Let gloo talk through the loopback only: what a machine's own name leads to is not always itself."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")


def _broken(address: str, reason: str) -> TrainError:
    return TrainError(
        f"{address}: the processes that train together are not complete any more: {reason}",
        hint="run `tsws apply` again: it continues from the last checkpoint",
    )
