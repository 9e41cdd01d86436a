"""Taking, holding and giving back the lease of a resource. The rules are in ``tsws_modal/lease.py``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tsws_modal.files import VolumeFiles
from tsws_modal.layout import lease_folder
from tsws_modal.lease import Claim, Verdict, claim_name, free_name, latest, verdict


@dataclass(frozen=True)
class Claims:
    """The claims to one resource in a volume."""

    files: VolumeFiles
    address: str
    has_ended: Callable[[Claim], bool]
    """Whether all calls of a claim's job have ended."""

    def held(self) -> tuple[int, Claim | None]:
        """The number of the last claim, and the claim itself unless it was given back."""
        number, free = latest(self.files.list(self._folder))
        if free or not number:
            return number, None
        data = self.files.read(f"{self._folder}/{claim_name(number)}")
        return number, msgspec.json.decode(data, type=Claim) if data else None

    def take(self, job: str, call: str) -> tuple[Verdict, int, Claim | None]:
        """Try to get the lease.

        Args:
            job: what is to be worked on.
            call: the container's function call.

        Returns:
            the verdict; the number of the claim that holds now; that claim, when it is somebody else's.
        """
        while True:
            number, held = self.held()
            found = verdict(held, job, call, self.has_ended)
            if found is not Verdict.TAKE:
                return found, number, held
            mine = Claim(job=job, call=call, time=time.time())
            if self.files.create(f"{self._folder}/{claim_name(number + 1)}", msgspec.json.encode(mine)):
                return found, number + 1, None

    def is_last(self, number: int) -> bool:
        """Whether nobody has taken over from the holder of a claim."""
        return latest(self.files.list(self._folder))[0] == number

    def give_back(self, number: int) -> None:
        """Let the next one have it."""
        self.files.create(f"{self._folder}/{free_name(number)}", b"")

    @property
    def _folder(self) -> str:
        return lease_folder(self.address)
