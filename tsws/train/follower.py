"""``python -m tsws.train.follower``: a process that computes its part of every step beside rank 0, and writes nothing.

Every process makes the same updates from the same averaged gradients, so all hold the same weights; from a checkpoint
all read the same files. ``tsws/train/followers.py`` says who starts it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import msgspec
from torch.distributed import DistError, TCPStore  # type: ignore[attr-defined]

from tsws.errors import PluginError, TrainError, TswsError
from tsws.plugin import load_plugins
from tsws.train.averaging import AveragedGradients
from tsws.train.checkpoint import load_checkpoint
from tsws.train.followers import Order, connect, join
from tsws.train.preparing import prepare
from tsws.train.rank import Rank
from tsws.train.settings import TrainData
from tsws.train.step import take_step


def main() -> int:
    """Take part in a run to its end, and return the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # rank 0 decides when to stop
    threading.Thread(target=_end_with_starter, daemon=True).start()
    try:
        store, rank = connect()
        order = msgspec.json.decode(store.get("order"), type=Order)
    except DistError:
        return 1  # rank 0 is gone, or never came
    try:
        _follow(order, rank, store)
    except (TswsError, OSError) as error:
        with suppress(DistError):  # nobody may be left to be told
            store.set(f"failed/{rank.number}", str(error))
        return 1
    return 0


def _follow(order: Order, rank: Rank, store: TCPStore) -> None:
    settings = order.settings
    h = settings.hyperparameters
    name = str(settings.config.get("arch", "llama"))
    architecture = load_plugins().architectures.get(name)
    if architecture is None:
        raise PluginError(f"no plugin provides the architecture {name!r} here")
    data = TrainData(tuple(map(Path, order.train)), tuple(map(Path, order.val)))
    prepared = prepare(settings, data, lambda: architecture().build(settings.config), rank, lambda _line: None)
    session = prepared.session
    if order.checkpoint is not None:
        path = Path(order.checkpoint)
        session.restore(load_checkpoint(path), path)
    store.set(f"ready/{rank.number}", "")
    join(store, rank, prepared.device.target)
    gradients = AveragedGradients(prepared.gradients, session.model, rank, _lost)
    for step in range(session.step, h.max_iters):
        take_step(session.model, session.optimizers, gradients, prepared.batches, prepared.numbers, step)


def _lost(error: RuntimeError) -> TrainError:
    return TrainError(f"the connection to the other processes broke: {str(error).splitlines()[0]}")


def _end_with_starter() -> None:
    """End when the pipe from the process that started this one is closed, by it or by its death."""
    while os.read(sys.stdin.fileno(), 1):  # not by a reader whose lock a process that ends by itself would wait for
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
