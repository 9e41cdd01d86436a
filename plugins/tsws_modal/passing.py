"""Calling the next container: a function of the job's own app."""

from __future__ import annotations

import msgspec

from tsws_modal.layout import Orders, Stage


def pass_on(orders: Orders, stage: Stage) -> str:
    """Let another container go on with a job, from inside of one.

    Args:
        orders: of this container.
        stage: what the next one is to do.

    Returns:
        the id of its function call.
    """
    import modal

    function = modal.Function.from_name(orders.app, stage, environment_name=orders.app_environment)
    following = msgspec.structs.replace(orders, stage=stage)
    return function.spawn(msgspec.json.encode(following).decode()).object_id
