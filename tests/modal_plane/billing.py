"""What things cost: made-up rates under the names that the client shows."""

from __future__ import annotations

from typing import Any

from modal_proto import api_pb2

from tests.modal_plane.state import State
from tests.modal_plane.wire import Service


class Rates:
    """The rates that are answered. To be set by a test; empty: the call is answered without any."""

    def __init__(self, plane: State) -> None:
        self.known: dict[str, str] = {}


class BillingService(Service):
    """See the module."""

    async def WorkspaceBillingRates(self, stream: Any) -> None:
        """Say the rates."""
        await stream.recv_message()
        rates = self.plane.part(Rates).known
        formatted = "\n".join(f"{name}: {rate}" for name, rate in rates.items())
        await stream.send_message(api_pb2.WorkspaceBillingRatesResponse(rates=rates, formatted=formatted))
