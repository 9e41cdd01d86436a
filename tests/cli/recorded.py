"""The events of a small apply, as they were said: two downloads' worth of progress, a run with two evaluations."""

from __future__ import annotations

from tsws.job import Checkpoint, Done, Event, Failed, Log, Metric, Progress, Sample, Started

DATA, RUN, EXPORT = "dataset.web", "run.tiny", "export.tiny"
STORY = "Once upon a time there was a cat.\nThe cat had a hat, and the hat had a name. " + "It was a good hat. " * 8


def line(time: float, step: int, loss: float) -> Metric:
    values = {"train_loss": loss, "lr": 0.01, "tokens": step * 512.0, "tokens_per_second": 12_345.0, "seconds": time}
    return Metric(address=RUN, time=time, step=step, total=100, values=values)


def evaluation(time: float, step: int, loss: float) -> Metric:
    return Metric(address=RUN, time=time, step=step, total=100, values={"val_loss": loss, "tokens": step * 512.0})


def fetched(time: float, done: float) -> Progress:
    return Progress(address=DATA, time=time, done=done, total=4e6, unit="B", label="fetching web.txt")


EVENTS: list[Event] = [
    Started(address=DATA, time=0.0, reason="does not exist yet"),
    fetched(0.5, 0),
    fetched(5.5, 1e6),
    fetched(10.5, 2e6),
    fetched(15.5, 3e6),
    fetched(20.5, 4e6),
    Done(address=DATA, time=21.0, seconds=21.0),
    Started(address=RUN, time=21.0, reason="train.seed changed"),
    Log(address=RUN, time=21.5, message="continuing at step 0"),
    Log(address=RUN, time=21.5, message="two threads", level="debug"),
    line(22.0, 1, 5.0),
    *(line(21.0 + step, step, 5.0 - step / 25) for step in range(2, 51, 2)),
    evaluation(72.0, 50, 3.25),
    Sample(address=RUN, time=72.5, step=50, prompt="Once", text=STORY),
    Checkpoint(address=RUN, time=72.5, step=50),
    Log(address=RUN, time=73.0, message="the disk is almost full", level="warning"),
    *(line(22.0 + step, step, 5.0 - step / 25) for step in range(60, 101, 20)),
    evaluation(123.0, 100, 3.5),
    Done(address=RUN, time=124.0, seconds=103.0),
    Started(address=EXPORT, time=124.0, reason=""),
    Failed(address=EXPORT, time=124.5, message="out/model.bin can not be written", hint="make room"),
    Failed(address=EXPORT, time=124.5, message="out/model.bin can not be written", hint="make room"),
]
