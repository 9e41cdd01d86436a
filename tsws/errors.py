"""The error tree: what travels up from every room to the one error boundary.

A message says what happened, to what, and why; the hint says what to do next.
Only the command line turns them into text and an exit status (``tsws/cli/boundary.py``).
"""

from __future__ import annotations


class TswsError(Exception):
    """A failure that a user can understand and act on.

    Args:
        message: what happened, to which resource or file, and why; one line or two.
        hint: what to do next, as an instruction; None when there is nothing to add.
    """

    exit_status = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TswsError):
    """The command was called with arguments that do not make sense together."""

    exit_status = 2


class InterruptedByUser(TswsError):
    """Work stopped because a person asked for it (SIGINT, SIGTERM); what was done is kept."""

    exit_status = 130


class ManifestError(TswsError):
    """The manifest is wrong; the message lists every mistake, one a line."""


class PluginError(TswsError):
    """A plugin is missing, could not be imported, or broke its contract."""


class PlanError(TswsError):
    """The wanted state can not be planned (unknown address, blocked resource, cycle)."""


class LockedError(TswsError):
    """Another process works in this workspace."""


class FetchError(TswsError):
    """A source could not be fetched (network, not found, no permission)."""


class VerifyError(TswsError):
    """Bytes are not the bytes that were promised (digest, size, pin)."""


class FormatError(TswsError):
    """A file is not what its name or place says: wrong magic, truncated, inconsistent, hostile."""


class BuildError(TswsError):
    """The native program could not be compiled."""


class TrainError(TswsError):
    """Training can not start or go on (bad data, NaN loss, out of memory)."""


class JobError(TswsError):
    """A backend could not start, follow or finish a job."""


class VolumeError(TswsError):
    """A volume could not be reached, or refused an operation."""


class SyncConflict(TswsError):
    """A file changed on both sides since they last agreed; nothing was written."""
