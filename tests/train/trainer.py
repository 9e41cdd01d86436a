"""Trains on order, one JSON line at a time: a child process for each, so that a test can kill it where it likes.

Keys of an order: ``folder``, ``config``, ``given``, ``train``, ``val``; and, when wanted, ``recipe``, any field of ``TrainSettings``,
``start_from``, ``stop_at`` (a step), ``after`` (SIGKILL from this process after so many seconds), ``moment`` (SIGKILL at this
moment, counted from 0), ``outside`` (the SIGKILL comes from this process, at about that moment) and ``other`` (it hits the process
that trains with the child). A moment is a file synced or renamed, or an event said, before and after each.

The answer comes when the child and all that it has started are gone: ``status`` (0, or minus the signal), ``seconds`` (from the
fork to the end), ``moments`` (how many there were), ``events``, ``error``, ``hint``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch._dynamo  # the first optimizer of a process would load it: here once, instead of in each child

from tsws.errors import TswsError
from tsws.job import Event, encode_event
from tsws.model.config import LlamaConfig
from tsws.model.gpt import GPT
from tsws.model.gpt_config import GPTConfig
from tsws.model.llama import Llama
from tsws.train.loop import train
from tsws.train.recipe import resolve
from tsws.train.settings import TrainData, TrainSettings

USUAL = {"device": "cpu", "threads": 1, "log_interval": 1, "checkpoint_interval": 4}
CHOSEN = {field.name for field in fields(TrainSettings)} - {"hyperparameters", "config", "address", "sample_prompt"}


class Started(subprocess.Popen[bytes]):
    """A process that holds the pipe to the parent open for as long as it lives."""

    pipe = -1
    pids: ClassVar[list[int]] = []

    def __init__(self, command: Any, **options: Any) -> None:
        super().__init__(command, **options, pass_fds=(self.pipe,))
        self.pids.append(self.pid)
        os.write(self.pipe, b"p%d\n" % self.pid)


class Moments:
    """Counts what can be interrupted, tells the parent, and dies at the moment that the order names."""

    def __init__(self, order: dict[str, Any], pipe: int) -> None:
        self._fatal = None if order.get("outside") else order.get("moment")
        self._other = bool(order.get("other"))
        self._count = 0
        self._pipe = pipe
        self._step = 0
        os.fsync = self._watched(os.fsync)
        os.replace = self._watched(os.replace)

    def _watched(self, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            self.pass_one()
            result = function(*arguments)
            self.pass_one()
            return result

        return call

    def pass_one(self) -> None:
        if self._count == self._fatal:
            os.kill(Started.pids[-1] if self._other else os.getpid(), signal.SIGKILL)
        self._count += 1
        os.write(self._pipe, b"m\n")

    def emit(self, event: Event) -> None:
        self._step = getattr(event, "step", self._step)
        self.pass_one()
        os.write(self._pipe, b"e" + encode_event(event) + b"\n")
        self.pass_one()


def build(config: dict[str, Any]) -> torch.nn.Module:
    if config["arch"] == "gpt":
        return GPT(GPTConfig.from_fields(config))
    return Llama(LlamaConfig.from_fields(config))


def child(order: dict[str, Any], pipe: int) -> None:
    moments = Moments(order, pipe)
    Started.pipe = pipe
    subprocess.Popen = Started  # type: ignore[misc]
    dim, asked = order["config"]["dim"], 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == order.get("stop_at")

    def tell(model: torch.nn.Module) -> str:
        torch.rand(17)  # a sample may use torch's generator
        return f"a story of {sum(float(one.sum()) for one in model.parameters())!r}"

    settings = TrainSettings(
        hyperparameters=resolve(
            order.get("recipe", "fast"), order["given"], dim=dim, max_seq_len=order["config"]["max_seq_len"]
        ),
        config=order["config"],
        address="run.tiny",
        sample_prompt="Once",
        **{**USUAL, **{name: order[name] for name in CHOSEN & order.keys()}},
    )
    data = TrainData(tuple(map(Path, order["train"])), tuple(map(Path, order["val"])))
    start_from = Path(order["start_from"]) if "start_from" in order else None
    try:
        train(
            settings,
            data,
            Path(order["folder"]),
            architecture_build=lambda: build(order["config"]),
            emit=moments.emit,
            stop=stop,
            start_from=start_from,
            tell=tell,
        )
    except TswsError as error:
        os.write(pipe, b"x" + json.dumps([f"{type(error).__name__}: {error.message}", error.hint]).encode() + b"\n")


def obey(order: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = 1
        try:
            child(order, writing)
            status = 0
        except BaseException:  # noqa: BLE001 - a child says what it died of and must not return
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    os.close(writing)
    answer: dict[str, Any] = {"moments": 0, "events": [], "error": None, "hint": None}
    pids = [pid]

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.kill(pids[-1] if order.get("other") else pid, signal.SIGKILL)

    timer = threading.Timer(order.get("after", 0.0), kill)
    if "after" in order:
        timer.start()
    with open(reading) as lines:
        for line in lines:
            kind, rest = line[0], line[1:]
            if kind == "m":
                if order.get("outside") and answer["moments"] == order["moment"]:
                    os.kill(pid, signal.SIGKILL)
                answer["moments"] += 1
            elif kind == "p":
                pids.append(int(rest))
            elif kind == "e":
                answer["events"].append(json.loads(rest))
            else:
                answer["error"], answer["hint"] = json.loads(rest)
    timer.cancel()
    answer["seconds"] = time.monotonic() - began
    answer["status"] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return answer


if __name__ == "__main__":
    for request in sys.stdin:
        sys.stdout.write(json.dumps(obey(json.loads(request))) + "\n")
        sys.stdout.flush()
