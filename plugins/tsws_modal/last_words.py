"""What a container says last of a job whose worker was made to stop. Pure."""

from __future__ import annotations

from tsws.job import Failed
from tsws_modal.layout import Orders


def stopped(orders: Orders) -> Failed:
    """Somebody asked for it."""
    return Failed(
        address=orders.address,
        message=f"{orders.address}: stopped on request; what is done is kept",
        hint="`tsws apply` continues",
        interrupted=True,
    )


def too_dear(orders: Orders, spent: float, *, saved: bool) -> Failed:
    """It would have cost more than it may.

    Args:
        orders: with the limit.
        spent: dollars, by all the job's containers.
        saved: whether this container has written a checkpoint.
    """
    stop, again = ("stopped after a checkpoint", "goes on from there") if saved else ("stopped", "goes on")
    end = "" if saved else ": no checkpoint was reached"
    return Failed(
        address=orders.address,
        message=f"{orders.address}: {stop} at ${spent:.2f}, before it passes the ${orders.max_cost:.2f} that it may cost{end}",
        hint=f"`tsws apply {orders.address}` {again}, for as much again; raise `max_cost` to let it run longer at a stretch",
    )


def too_short(orders: Orders) -> Failed:
    """The next container would come no further than this one."""
    return Failed(
        address=orders.address,
        message=f"{orders.address}: the time-out of {orders.timeout:.0f} s is too short: no checkpoint was reached",
        hint="raise `timeout` in the backend's table, or lower `checkpoint_interval`",
    )
