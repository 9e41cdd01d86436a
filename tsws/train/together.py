"""Where a run's gradients come from: this process, or several that train together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tsws.train.averaging import AveragedGradients
from tsws.train.followers import Order, leading
from tsws.train.gradients import Gradients
from tsws.train.preparing import Prepared
from tsws.train.rank import Rank
from tsws.train.settings import TrainData


@contextmanager
def together(prepared: Prepared, data: TrainData, rank: Rank, checkpoint: Path | None) -> Iterator[Gradients]:
    """Gradients of all processes; in the end the others are gone, however the block is left.

    Args:
        prepared: the part of this process, which leads.
        data: as the others have to read it.
        rank: of this process.
        checkpoint: from which all go on; None: from the beginning.

    Raises:
        TrainError: one of the others can not take part; while steps are taken: one was lost.
    """
    session = prepared.session
    settings = session.settings
    if rank.is_alone or session.step >= settings.hyperparameters.max_iters:
        yield prepared.gradients
        return
    order = Order(
        settings=settings,
        train=tuple(str(path.absolute()) for path in data.train),
        val=tuple(str(path.absolute()) for path in data.val),
        checkpoint=str(checkpoint.absolute()) if checkpoint else None,
    )
    with leading(settings, rank) as leader:
        leader.gather(order, prepared.device.target)
        yield AveragedGradients(prepared.gradients, session.model, rank, partial(leader.lost, settings.address))
