"""A worker that does as it is told, for the backends' suite: ``python -m tsws.testing.worker JOB.json --events FILE``.

It keeps the worker's side of the contract (one event a line, appended; the last one is ``Done`` or ``Failed``
of the job's own address), and follows the script in ``job.manifest["script"]``: a list of ``[instruction, argument]``.

===========  ==========================================================================
``say``      progress, this many times
``print``    a line on standard output, as a crash would leave
``hold``     wait to be asked to stop, then say so and end
``fail``     end with this message
``die``      end as a killed process does, without a last word
``tear``     likewise, in the middle of a line
===========  ==========================================================================
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tsws.job import Done, Event, Failed, Job, Progress, Started, decode_job, encode_event


class _Worker:
    def __init__(self, job: Job, events: Path) -> None:
        self.job = job
        self.events = events
        self.said = 0

    def work(self) -> None:
        self._say(Started(address=self.job.address))
        for instruction, argument in self.job.manifest["script"]:
            if instruction == "say":
                for _ in range(argument):
                    self.said += 1
                    self._say(Progress(address=self.job.address, done=self.said, label=str(Path.cwd())))
            elif instruction == "print":
                sys.stdout.write(f"{argument}\n")
                sys.stdout.flush()
            elif instruction == "hold":
                signal.sigwait({signal.SIGTERM})
                self._say(Failed(address=self.job.address, message="asked to stop", interrupted=True))
                return
            elif instruction == "fail":
                self._say(Failed(address=self.job.address, message=argument))
                return
            else:
                self._append(b'{"event":"prog' if instruction == "tear" else b"")
                os.kill(os.getpid(), signal.SIGKILL)
        self._say(Done(address=self.job.address))

    def _say(self, event: Event) -> None:
        self._append(encode_event(event) + b"\n")

    def _append(self, data: bytes) -> None:
        with open(self.events, "ab") as file:
            file.write(data)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # so that a request that comes early is not missed
    _Worker(decode_job(Path(sys.argv[1]).read_bytes()), Path(sys.argv[3])).work()
