"""What travels comes back as it was, and what is no job or event is refused."""

from __future__ import annotations

import json
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.job import (
    Asked,
    Checkpoint,
    Done,
    Evaluating,
    Event,
    Failed,
    Found,
    Handle,
    Job,
    Log,
    Metric,
    Progress,
    Sample,
    Started,
    VolumeRef,
    decode_event,
    decode_job,
    encode_event,
    encode_job,
    ignore,
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 2**53)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TABLES = st.dictionaries(st.text(), PLAIN, max_size=3)
COMMON = {"address": st.text(), "time": FLOATS}
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Started, **COMMON, reason=st.text()),
    st.builds(Progress, **COMMON, done=FLOATS, total=st.none() | FLOATS, unit=st.text(), label=st.text()),
    st.builds(Metric, **COMMON, step=COUNTS, total=COUNTS, values=st.dictionaries(st.text(), FLOATS)),
    st.builds(Sample, **COMMON, step=COUNTS, prompt=st.text(), text=st.text()),
    st.builds(Found, **COMMON, document=TABLES),
    st.builds(Checkpoint, **COMMON, step=COUNTS),
    st.builds(Log, **COMMON, message=st.text(), level=st.sampled_from(["debug", "info", "warning"])),
    st.builds(Done, **COMMON, seconds=FLOATS),
    st.builds(Failed, **COMMON, message=st.text(), hint=st.none() | st.text(), interrupted=st.booleans()),
)
VOLUMES = st.builds(VolumeRef, name=st.text(), kind=st.text(), options=TABLES)
EVALUATIONS = st.builds(Evaluating, run=st.text(), asked=st.builds(Asked, tokens=st.none() | COUNTS, prompt=st.text()))
JOBS = st.builds(
    Job,
    id=st.text(),
    address=st.text(),
    targets=st.lists(st.text()).map(tuple),
    fingerprint=st.text(),
    manifest=TABLES,
    pins=TABLES,
    root=st.none() | st.text(),
    volume=st.none() | VOLUMES,
    options=TABLES,
    evaluating=st.none() | EVALUATIONS,
)


@given(EVENTS)
def test_event_comes_back_as_it_was_from_one_line(event: Event) -> None:
    line = encode_event(event)
    assert b"\n" not in line
    assert decode_event(line) == event
    assert decode_event(line.decode()) == event


@given(JOBS)
def test_job_comes_back_as_it_was(job: Job) -> None:
    assert decode_job(encode_job(job)) == job


@given(st.builds(Handle, backend=st.text(), job=st.text(), data=TABLES))
def test_handle_is_plain_data(handle: Handle) -> None:
    assert msgspec.json.decode(msgspec.json.encode(handle), type=Handle) == handle


def test_every_kind_of_event_has_a_tag_of_its_own() -> None:
    kinds = get_args(Event)
    assert [kind.__struct_config__.tag for kind in kinds] == [kind.__name__.lower() for kind in kinds]


def test_line_of_an_event_is_readable_for_others() -> None:
    line = encode_event(Metric(address="run.x", time=1.5, step=10, total=100, values={"train_loss": 2.25}))
    assert json.loads(line) == {
        "event": "metric",
        "address": "run.x",
        "time": 1.5,
        "step": 10,
        "total": 100,
        "values": {"train_loss": 2.25},
    }


def test_event_of_a_newer_version_keeps_what_is_known() -> None:
    line = b'{"event":"checkpoint","address":"run.x","time":1.0,"step":3,"digest":"new"}'
    assert decode_event(line) == Checkpoint(address="run.x", time=1.0, step=3)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b'{"event":"checkpoint","address":"run.x"',
        b'{"event":"sung"}',
        b'{"address":"run.x"}',
        b"[]",
        b"\xff",
    ],
)
def test_line_that_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_event(line)


@given(EVENTS, st.data())
def test_torn_line_is_refused(event: Event, data: st.DataObject) -> None:
    line = encode_event(event)
    with pytest.raises(msgspec.DecodeError):
        decode_event(line[: data.draw(st.integers(0, len(line) - 1))])


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"id": 1}', b"null"])
def test_data_that_is_no_job_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_job(data)


def test_events_say_when_they_were_said_and_can_not_be_changed() -> None:
    event = Done(address="run.x")
    assert event.time > 0
    with pytest.raises(AttributeError):
        event.seconds = 3.0  # type: ignore[misc]
    assert ignore(event) is None
