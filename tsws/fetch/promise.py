"""What the bytes of a source have to be, and who says so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tsws.errors import FetchError, VerifyError
from tsws.fetch.lockfile import Pin
from tsws.plugin import Origin

_REFRESH = (
    "if the source changed on purpose, `tsws apply --replace ADDRESS` (the resource that it belongs to) fetches what"
    " there is now and pins it anew; if not, ask whoever serves it"
)


@dataclass(frozen=True)
class Promise:
    """What manifest and lock file say about a URI.

    Args:
        uri: the source.
        pin: from ``tinystories.lock``.
        sha256: from the manifest, in hex.
    """

    uri: str
    pin: Pin | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        if self.pin is not None and self.sha256 is not None and self.pin.sha256 != self.sha256:
            raise VerifyError(
                f"{self.uri}: the manifest expects sha256 {self.sha256}, but tinystories.lock pins {self.pin.sha256}",
                hint="correct `sha256` in the manifest; or, if it is right, pin the source anew with"
                " `tsws apply --replace ADDRESS`",
            )

    def choose(self, origin: Origin) -> Origin:
        """Where to fetch from, given what the URI stands for now, with the digest that it has to have if one is known.

        Raises:
            VerifyError: what the URI stands for now can not be what was promised.
        """
        pin = self.pin
        if pin is not None and origin.url != pin.url and origin.sha256 != pin.sha256:
            # The address has moved on (a branch has new commits), but the pinned version still has its own.
            return Origin(
                uri=origin.uri,
                url=pin.url,
                filename=origin.filename,
                size=pin.size,
                version=pin.version,
                sha256=pin.sha256,
            )
        for expected, where in self._digests():
            if origin.sha256 is not None and origin.sha256 != expected:
                raise VerifyError(
                    f"{self.uri}: the server now has sha256 {origin.sha256}, but {where} says {expected}",
                    hint=_REFRESH if pin is not None else "correct `sha256` in the manifest, or ask whoever serves it",
                )
        if pin is not None and origin.size is not None and origin.size != pin.size:
            raise VerifyError(
                f"{self.uri}: the server now has {origin.size} bytes, but tinystories.lock says {pin.size}"
                f" (sha256 {pin.sha256})",
                hint=_REFRESH,
            )
        digests = [expected for expected, _ in self._digests()]
        return replace(origin, sha256=digests[0]) if digests else origin

    def fault(self, origin: Origin, size: int, sha256: str) -> VerifyError | None:
        """What is wrong with fetched bytes, or None when nothing is."""
        for expected, where in (*self._digests(), *(((origin.sha256, "the server"),) if origin.sha256 else ())):
            if sha256 != expected:
                return VerifyError(
                    f"{self.uri}: the fetched {size} bytes have sha256 {sha256}, but {where} says {expected}",
                    hint=_hint(where),
                )
        if origin.size is not None and size != origin.size:
            return VerifyError(
                f"{self.uri}: {size} bytes were fetched, but the server says {origin.size}", hint=_hint("the server")
            )
        return None

    def _digests(self) -> list[tuple[str, str]]:
        """What the SHA-256 has to be, with who says so."""
        found = []
        if self.sha256 is not None:
            found.append((self.sha256, "the manifest"))
        if self.pin is not None:
            found.append((self.pin.sha256, "tinystories.lock"))
        return found


def gone(origin: Origin, error: FetchError) -> FetchError:
    """The error for a pinned version that can not be fetched, of an address that has moved on since."""
    return FetchError(
        f"{origin.uri} has changed, and the version that is pinned is not to be had: {error}", hint=_REFRESH
    )


def _hint(where: str) -> str:
    return {
        "the manifest": "correct `sha256` in the manifest, or ask whoever serves the file",
        "tinystories.lock": _REFRESH,
        "the server": "run the command again; if it stays so, ask whoever serves the file",
    }[where]
