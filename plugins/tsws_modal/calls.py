"""Function calls: whether they have ended, and how."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import modal


def is_unfinished(call: str, client: modal.Client | None = None) -> bool:
    """Whether a call waits, runs, or is to be delivered to a container again."""
    return _result(call, client) is None


def any_unfinished(calls: Iterable[str], client: modal.Client | None = None) -> bool:
    """Whether one of some calls is unfinished. The names of calls sort by nothing: all may have to be asked for."""
    return any(is_unfinished(call, client) for call in calls)


def fault_of(call: str, client: modal.Client | None = None) -> Exception | None:
    """The exception that a call ended with, as Modal's client raises it; None when it has not, or returned."""
    result = _result(call, client)
    return result if isinstance(result, Exception) else None


def _result(call: str, client: modal.Client | None) -> object:
    """What a call returned or raised, and None while it is unfinished.

    Raises:
        Exception: nobody answers, as Modal's client raises it.
    """
    import modal
    from modal.exception import AuthError, ConnectionError, InternalError, ServiceError  # noqa: A004

    try:
        return ("returned", modal.FunctionCall.from_id(call, client=client).get(timeout=0))
    except TimeoutError:  # the builtin one: no output yet
        return None
    except (AuthError, ConnectionError, InternalError, ServiceError):
        raise
    except Exception as error:  # noqa: BLE001  whatever it was that the function's container raised or died of
        return error
