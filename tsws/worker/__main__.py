"""The command line of the worker."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tsws.errors import JobError
from tsws.worker.main import run

# Threads that spin while they wait bring training to a near stop as soon as anything else wants the processor;
# OpenMP reads this when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def main() -> None:
    """Do the job and leave with its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tsws.worker", description="Do one job in the folder it is in.")
    parser.add_argument("job", type=Path, help="the job, as JSON")
    parser.add_argument("--root", type=Path, help="the workspace to work in; default: the job's, or this folder")
    parser.add_argument("--events", type=Path, help="append the events to this file; default: standard output")
    arguments = parser.parse_args()
    try:
        status = run(arguments.job, arguments.root, _opened(arguments.events))
    except (JobError, OSError) as error:  # nobody hears events yet: the log has to say it
        parser.exit(2, f"{parser.prog}: {error}\n")
    sys.exit(status)


def _opened(events: Path | None) -> int:
    if events is None:
        return sys.stdout.fileno()
    return os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


if __name__ == "__main__":
    main()
