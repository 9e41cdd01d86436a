"""What code that talks to a network says when the fault may pass."""

from __future__ import annotations


class TryAgain(OSError):
    """This attempt failed, and another one may succeed: a dropped connection, a server that is too busy.

    Args:
        message: what happened.
        after: seconds that the other side asks to wait for, when it does.
    """

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after
