"""A local control plane that the genuine modal client takes for Modal.

with Plane(tmp_path / "modal") as plane:
    subprocess.run([sys.executable, "script.py"], env=os.environ | plane.environment)
    assert "FunctionMap" in plane.state.said()
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from tests.modal_plane.auth import TOKEN_ID, TOKEN_SECRET
from tests.modal_plane.blobs import serve_blobs
from tests.modal_plane.faults import Faults
from tests.modal_plane.runtime import Runtime
from tests.modal_plane.scheduler import Scheduler
from tests.modal_plane.server import ControlPlane, listening
from tests.modal_plane.state import State


class Plane:
    """A context manager: serves from a thread of its own while it is entered."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        """
        Args:
            folder: where blobs, volumes and containers lie; made when missing.
            port: to listen at on the loopback interface; 0 takes a free one.
        """
        self.state = State(folder)
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._serve, name="modal-plane", daemon=True)

    def __enter__(self) -> Self:
        self.state.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._ready.result(timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """What clients know it by."""
        return self.state.url

    @property
    def faults(self) -> Faults:
        """What goes wrong, to be switched at any time."""
        return self.state.faults

    @property
    def environment(self) -> dict[str, str]:
        """Every variable that a client's process needs, added to its own."""
        config = self.state.folder / "modal.toml"
        config.touch()
        return {
            "MODAL_SERVER_URL": self.url,
            "MODAL_TOKEN_ID": TOKEN_ID,
            "MODAL_TOKEN_SECRET": TOKEN_SECRET,
            "MODAL_CONFIG_PATH": str(config),
            # A proxy of the developer's would capture the loopback interface too.
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _main(self) -> None:
        self._leave = asyncio.Event()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(serve_blobs(self.state))
            runtime = Runtime(self.state, listening, ControlPlane)
            stack.push_async_callback(runtime.stop)
            scheduling = asyncio.create_task(Scheduler(self.state, runtime).run())
            stack.callback(scheduling.cancel)
            self.state.url = await stack.enter_async_context(listening(self.state, port=self._port))
            self._ready.set_result(None)
            await self._leave.wait()
