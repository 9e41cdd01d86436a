"""What runs in a container: one turn of work on one job. Modal finds :func:`work` by its name and module."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from tsws_modal.files import VolumeFiles
from tsws_modal.layout import MOUNT, Orders
from tsws_modal.stops import Reason

if TYPE_CHECKING:
    import modal


def work(orders: str) -> str:
    """Work on a job until it ends, the container has to stop, or somebody else turns out to work on it.

    Args:
        orders: :class:`~tsws_modal.layout.Orders`, as JSON.

    Returns:
        how it went, in a word, for whoever looks at the call in Modal's dashboard; clients read the volume.

    Raises:
        KeyboardInterrupt: the machine is taken away; Modal delivers the call to another one.
        InputCancellation: the call is cancelled, or its time is over; after the latter Modal may try again.
    """
    import modal

    from tsws_modal.together import find_seat, help_out
    from tsws_modal.turn import Turn

    told = msgspec.json.decode(orders, type=Orders)
    seat = find_seat(told)
    files, place, call = VolumeFiles(lambda: open_volume(told)), Path(MOUNT), modal.current_function_call_id() or ""
    with _listening() as heard:

        def asked() -> Reason | None:
            return heard[0] if heard else None

        if seat.rank:
            outcome = help_out(told, seat, files, place, call, asked)
        else:
            outcome = Turn(told, files=files, place=place, call=call, variables=seat.variables).run(asked)
    if not outcome.final:
        raise KeyboardInterrupt if asked() is Reason.PREEMPTED else modal.exception.InputCancellation
    return outcome.word


def open_volume(orders: Orders) -> modal.Volume:
    """The job's volume, as a container has it."""
    import modal

    return modal.Volume.from_name(orders.volume, environment_name=orders.volume_environment)


@contextmanager
def _listening() -> Iterator[list[Reason]]:
    """Note what Modal asks for by signals, instead of being torn out of whatever is going on."""
    asked: list[Reason] = []
    meanings = {signal.SIGINT: Reason.PREEMPTED, signal.SIGTERM: Reason.PREEMPTED, signal.SIGUSR1: Reason.CANCELLED}

    def hear(number: int, _frame: FrameType | None) -> None:
        asked.append(meanings[signal.Signals(number)])

    before = {number: signal.signal(number, hear) for number in meanings}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
