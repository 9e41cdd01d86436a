"""What Modal refuses, in the words of tsws: one line or two, and the next step.

The client tells many failures apart by their text alone, so this table reads texts. It knows exception types by name and
imports nothing of Modal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tsws.errors import TswsError

TOKEN_NEW = "run `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"
AGAIN = "run the same command again: it goes on from there"
FROM_CHECKPOINT = "run `tsws apply` again: it goes on from the last checkpoint"
LAST_LINES = 10
"""Lines of a build's log that are shown: enough for the error of pip, a compiler or apt."""
LONGEST = 300
"""Characters of a text of Modal's that are shown."""


@dataclass(frozen=True)
class Explanation:
    """What happened, and what to do next."""

    what: str
    hint: str


@dataclass(frozen=True)
class _Rule:
    """What to say about an exception of one of some types whose text matches."""

    types: str
    """Names, separated by blanks: ``Error`` and the like are those of ``modal.exception``; others have their module."""
    what: str
    """May hold ``{text}``, the first line of what Modal said, and the named groups of the pattern."""
    hint: str
    pattern: str = ""
    """Searched in the whole text, whatever its case."""


_RULES = (
    # Who are you?
    _Rule(
        "AuthError",
        "there is no Modal profile {name!r} in {file}",
        "`modal profile list` shows those there are; `modal token new --profile {name}` makes this one",
        r"profile '(?P<name>[^']*)' was not found in (?P<file>.*?)\. Run",
    ),
    _Rule("AuthError", "there is no Modal token on this machine", TOKEN_NEW, r"token missing"),
    _Rule("AuthError", "Modal does not accept the token: {text}", "run `modal token new` for one that is valid"),
    _Rule(
        "InvalidError",
        "which Modal profile? {text}",
        "`modal profile activate NAME` chooses one",
        r"(more than one|no) modal profile is active",
    ),
    _Rule(
        "InvalidError",
        "the Modal configuration {file} can not be read",
        "mend the file, or remove it and run `modal token new`",
        r"reading the modal configuration from `(?P<file>[^`]*)`",
    ),
    _Rule(
        "VersionError ConflictError",
        "Modal no longer serves a client this old: {text}",
        "run `pip install --upgrade modal`",
        r"client\b.*(too old|deprecated|no longer|unsupported|please upgrade|please update)",
    ),
    # What is not there
    _Rule(
        "NotFoundError",
        "{text}",
        "`modal environment list` shows those there are; `modal environment create NAME` makes one",
        r"^\W*environment\b",
    ),
    _Rule(
        "NotFoundError",
        "{text}",
        "`modal secret list` shows those there are; `modal secret create NAME KEY=VALUE` makes one",
        r"\bsecret\b",
    ),
    _Rule(
        "NotFoundError",
        "{text}",
        "`modal volume list` shows those there are; correct the volume's `name` or its `environment`",
        r"\bvolume\b",
    ),
    _Rule("NotFoundError", "{text}", "it was removed, or it belongs to another workspace or environment of Modal"),
    # What is not possible
    _Rule(
        "InvalidError",
        "Modal has the volume {name} in version {actual}, and the manifest says version {wanted}",
        "say `version = {actual}` in the volume's table, or give it another `name`",
        r"volume '(?P<name>[^']*)' exists but has version v(?P<actual>\d+), not v(?P<wanted>\d+)",
    ),
    _Rule(
        "PermissionDeniedError",
        "Modal does not permit it: {text}",
        "ask an owner of the workspace for the right, or use another `environment` or profile",
    ),
    _Rule(
        "ResourceExhaustedError ConflictError",
        "{text}",
        "raise the limit in the settings of the Modal workspace, or wait for the next billing cycle",
        r"spend|budget|billing",
    ),
    _Rule(
        "ResourceExhaustedError",
        "{text}",
        "free some of it (`tsws clean --volume NAME` removes intermediates), then run the same command again",
        r"volume|disk|storage|inode|space left",
    ),
    _Rule(
        "ResourceExhaustedError",
        "{text}",
        "ask for less, wait until other work there has ended, or raise the limit of the Modal workspace",
    ),
    # What happened to a container
    _Rule(
        "RemoteError",
        "the GPU of the container is out of memory",
        "lower `batch_size`, or name a `gpu` with more memory",
        r"(cuda|gpu|device).*out of memory|out of memory.*(cuda|gpu)",
    ),
    _Rule(
        "RemoteError",
        "the container ran out of memory",
        "ask for more `memory` in the backend's table, or lower `batch_size`",
        r"out of memory|\boom\b|memory limit|exceeded.*memory",
    ),
    _Rule("RemoteError", "it was cancelled", FROM_CHECKPOINT, r"cancel"),
    _Rule(
        "RemoteError",
        "the app was stopped from elsewhere",
        FROM_CHECKPOINT,
        r"\bapp\b.*(stop|terminat|shut)|stopped|external shut-?down",
    ),
    _Rule("RemoteError", "the container died: {text}", FROM_CHECKPOINT, r"exit|kill|signal|terminat|preempt|crash"),
    _Rule("FunctionTimeoutError", "the time-out of the container passed", FROM_CHECKPOINT),
    _Rule("RemoteError InternalFailure", "it failed on Modal: {text}", FROM_CHECKPOINT),
    # What broke on the way
    _Rule(
        "VolumeUploadTimeoutError MountUploadTimeoutError",
        "the upload took longer than Modal allows: {text}",
        AGAIN,
    ),
    _Rule("ExecutionError", "Modal's file store refuses: {text}", AGAIN, r"failed with status|download|multipart"),
    _Rule("ConnectionError", "Modal can not be reached: {text}", "look at the network, then " + AGAIN),
    _Rule("ServiceError InternalError DataLossError", "Modal has a fault: {text}", "wait a moment, then " + AGAIN),
    _Rule("TimeoutError", "Modal did not answer in time: {text}", AGAIN),
    _Rule("ClientClosed", "the connection to Modal was closed", AGAIN),
    _Rule(
        "UnimplementedError",
        "Modal does not know this call: {text}",
        "run `pip install --upgrade modal tsws`",
    ),
    _Rule("Error", "{text}", "if the text does not help, MODAL_TRACEBACK=1 shows more"),
    _Rule(
        "aiohttp.ClientError httpx2.HTTPError grpclib.StreamTerminatedError grpclib.ProtocolError h2.ProtocolError "
        "builtins.ConnectionError builtins.TimeoutError ssl.SSLError socket.gaierror",
        "the connection to Modal broke: {text}",
        AGAIN,
    ),
    _Rule(
        "builtins.ModuleNotFoundError",
        "{text}",
        "run `pip install 'tsws[modal]'`",
        r"No module named '\w*(modal|grpc)",
    ),
)


@contextmanager
def refusals(form: type[TswsError], subject: str, *, build_log: Callable[[], str] | None = None) -> Iterator[None]:
    """Turn what Modal refuses in the block into a ``form``; other errors pass through as they are.

    Args:
        form: such as :class:`~tsws.errors.VolumeError`.
        subject: what was wanted, such as ``volume stories: can not list its files``; the message begins with it.
        build_log: gives the log of an image's build when that fails.

    >>> with refusals(JobError, "run.baby"):
    ...     call = function.spawn(job)
    """
    try:
        yield
    except TswsError:
        raise
    except Exception as error:
        found = explain(error, build_log=build_log)
        if found is None:
            raise
        raise form(f"{subject}: {found.what}", hint=found.hint) from error


def explain(error: BaseException, *, build_log: Callable[[], str] | None = None) -> Explanation | None:
    """What to say about an error of Modal's client, or None when it is not one.

    Args:
        error: as it was raised.
        build_log: as in :func:`refusals`.
    """
    names, text = _names(error), str(error).strip()
    if "ImageBuildError" in names:
        return _build(text, build_log() if build_log is not None else "")
    for rule in _RULES:
        if names.isdisjoint(rule.types.split()):
            continue
        found = re.search(rule.pattern, text, re.IGNORECASE | re.DOTALL)
        if found is not None:
            words = {"text": _first_line(text) or type(error).__name__, **found.groupdict()}
            return Explanation(rule.what.format(**words), rule.hint.format(**words))
    return None


def _names(error: BaseException) -> set[str]:
    """The names of an error's types: short for Modal's own, with the package's for others."""
    packages = [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__]
    return {name if package == "modal" else f"{package}.{name}" for package, name in packages}


def _build(text: str, log: str) -> Explanation:
    """About an image that could not be built; the client's text may hold the builder's words from its second line on."""
    said = [line.rstrip() for line in (log or text.partition("\n")[2]).splitlines() if line.strip()]
    lines = "".join(f"\n  {line[:LONGEST]}" for line in said[-LAST_LINES:])
    return Explanation(
        f"its image could not be built{':' if lines else ''}{lines}",
        "correct what the last lines name (a package, a version, a command), then run the same command again",
    )


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"{line[:LONGEST]}..." if len(line) > LONGEST else line.removesuffix(".")
