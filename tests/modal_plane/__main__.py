"""``python -m tests.modal_plane``: a Modal of your own, to try `tsws` against it on a laptop."""

from __future__ import annotations

import argparse
import shlex
import signal
import tempfile
from pathlib import Path

from tests.modal_plane.isolation import namespaces
from tests.modal_plane.logs import Line
from tests.modal_plane.plane import Plane

ABOUT = """\
Serve a local control plane that the modal client takes for Modal. Nothing leaves this machine, nothing costs anything, and no account is needed:
functions run here, in processes of their own that see nothing of the checkout. Started in one terminal, it prints what to paste into another:

    $ python -m tests.modal_plane
    export MODAL_SERVER_URL=http://127.0.0.1:40123
    ...
    $ tsws apply run.baby        # in the other terminal, with `backend = "modal"` in the manifest

Images are not built: the interpreter that runs this command stands in for each, with the packages that it has. GPUs are only written down.
Ctrl-C ends it, and every container with it. With --folder, volumes are still forgotten: the plane keeps them for as long as it runs.
"""


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.modal_plane", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--port", type=int, default=0, help="to listen at on the loopback interface (default: a free one)"
    )
    parser.add_argument("--folder", type=Path, help="where volumes and containers lie (default: a temporary folder)")
    parser.add_argument("--calls", action="store_true", help="print every call that a client or a container makes")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="modal-plane-") as temporary,
        Plane(options.folder or Path(temporary), port=options.port) as plane,
    ):
        for name, value in plane.environment.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)
        if not namespaces():
            print(
                "# This machine gives containers no namespaces: volumes are symbolic links, and nothing is hidden from them."
            )
        if options.calls:
            plane.state.on_call.append(
                lambda call: print(f"# {call.container_id or 'client':>25} {call.method}", flush=True)
            )
        plane.logs.on_line.append(_show)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("# stopping", flush=True)


def _show(line: Line) -> None:
    print(f"# {line.container_id}: {line.data.rstrip()}", flush=True)


if __name__ == "__main__":
    main()
