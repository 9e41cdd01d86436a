"""The rules of the backend, without a server: who may work, what counts as said, when to stop, what it costs, what is shipped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import JobError
from tsws.job import Job
from tsws.plugin import Shipment, load_plugins, shipment
from tsws_modal.image import build_image, requirements
from tsws_modal.launching import first_stage
from tsws_modal.layout import app_name
from tsws_modal.lease import Claim, Verdict, claim_name, free_name, latest, verdict
from tsws_modal.options import Gpu, ModalOptions, parse_gpu
from tsws_modal.prices import GPU_HOUR, price_of, read_rates
from tsws_modal.segments import Segment, Writer, count, parse_name, stretches
from tsws_modal.shape import shaped
from tsws_modal.stops import Budget, Reason


def options(**keys: Any) -> ModalOptions:
    """As a manifest has them."""
    return msgspec.convert(keys, ModalOptions)


# --- options ---


@pytest.mark.parametrize(
    ("text", "gpu"),
    [("T4", Gpu("T4")), ("h100!", Gpu("H100")), ("A100-80GB:8", Gpu("A100-80GB", 8)), ("L40S:1", Gpu("L40S", 1))],
)
def test_a_gpu_is_read_as_modal_reads_it(text: str, gpu: Gpu) -> None:
    assert parse_gpu(text) == gpu


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"gpu": "4"}, '`gpu` is \'4\': expected a name such as "T4", "L4" or "H100"'),
        ({"gpu": ["T4", "L4:2"]}, "`gpu` names machines with 1 and 2 GPUs: a run needs as many on each"),
        ({"nodes": 2}, "`nodes` asks for 2 machines, and Modal joins only machines with a `gpu`"),
        ({"timeout": "2d"}, '`timeout` is \'2d\': expected from "1m" to "24h"; a longer run goes on by itself'),
        ({"timeout": "1s"}, '`timeout` is \'1s\': expected from "1m" to "24h"; a longer run goes on by itself'),
        ({"timeout": "soon"}, '\'soon\' is not a duration: expected something like "90s", "5m", "1h30m" or "2d"'),
        ({"env": {"A B": "c"}}, "`env` has 'A B', which is no name of a variable"),
    ],
)
def test_an_option_that_modal_would_refuse_is_a_mistake_in_the_manifest(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=re.escape(message)):
        options(**keys)


# --- the lease ---

MINE = Claim(job="j", call="fc-1", time=0.0)


@pytest.mark.parametrize(
    ("held", "ended", "expected"),
    [
        (None, False, Verdict.TAKE),
        (MINE, False, Verdict.TAKE),
        (Claim(job="j", call="fc-2", time=0.0), False, Verdict.STAND_BACK),
        (Claim(job="j", call="fc-2", time=0.0), True, Verdict.TAKE),
        (Claim(job="k", call="fc-3", time=0.0), False, Verdict.BUSY),
        (Claim(job="k", call="fc-3", time=0.0), True, Verdict.TAKE),
    ],
)
def test_who_may_work(held: Claim | None, ended: bool, expected: Verdict) -> None:
    assert verdict(held, "j", "fc-1", lambda claim: ended) is expected


@given(st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)))
def test_the_highest_claim_holds_unless_it_was_given_back(claims: set[int], freed: set[int]) -> None:
    names = {claim_name(number) for number in claims} | {free_name(number) for number in freed & claims}
    highest = max(claims, default=0)
    assert latest(names) == (highest, highest in freed)


# --- events ---


def test_a_segment_that_came_too_late_does_not_count() -> None:
    names = ["000000000-000001.jsonl", "000000010-000001.jsonl", "000000014-000003.jsonl", "000000020-000001.jsonl"]
    found = [(one.segment.start, one.segment.turn, one.end) for one in stretches([*names, "job.json", "0-1.jsonl"])]
    assert found == [(0, 1, 10), (10, 1, 14), (14, 3, None)]


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), max_size=8))
def test_what_is_read_is_every_position_once(taken: list[tuple[int, int]]) -> None:
    """Turns begin where the ones before ended, or earlier, when what they wrote was not committed."""
    names, end = [], 0
    for turn, (length, lost) in enumerate(taken, 1):
        start = max(0, end - lost)
        names.append(Segment(turn, start).name)
        end = start + length
    positions: list[int] = []
    for one in stretches(names):
        positions += range(one.segment.start, end if one.end is None else one.end)
    assert positions == list(range(end))


def test_a_writer_writes_what_count_counts(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "events", 0, 1)
    writer.write([b"a", b"b"])
    writer.write([])
    writer.write([b"x" * (1 << 18)])
    writer.write([b"c"])
    assert sorted(path.name for path in (tmp_path / "events").iterdir()) == [
        "000000000-000001.jsonl",
        "000000003-000001.jsonl",
    ]
    assert (writer.position, count(tmp_path / "events")) == (4, 4)
    with open(tmp_path / "events" / "000000003-000001.jsonl", "ab") as file:
        file.write(b'{"torn')
    assert count(tmp_path / "events") == 4, "a torn line is none"
    assert count(tmp_path / "nothing") == 0


def test_a_name_that_is_no_segment() -> None:
    assert parse_name("000000003-000001.jsonl") == Segment(1, 3)
    assert parse_name("000000003-000001.jsonl.tmp") is None


# --- time and money ---


@pytest.mark.parametrize(
    ("timeout", "rate", "most", "elapsed", "reason"),
    [
        (3600.0, 0.0, None, 3500.0, None),
        (3600.0, 0.0, None, 3541.0, Reason.TIME),
        (60.0, 0.0, None, 44.0, None),
        (60.0, 0.0, None, 45.0, Reason.TIME),
        (86400.0, 3.6, 1.0, 800.0, None),
        (86400.0, 3.6, 1.0, 941.0, Reason.COST),
        (86400.0, 3.6, 0.01, 0.0, Reason.COST),
    ],
)
def test_a_container_stops_while_there_is_enough_left_for_a_checkpoint(
    timeout: float, rate: float, most: float | None, elapsed: float, reason: Reason | None
) -> None:
    assert Budget(timeout, rate, 0.0, most).over(elapsed) is reason


def test_what_earlier_containers_cost_counts() -> None:
    assert Budget(86400.0, 3.6, 0.95, 1.0).over(0.0) is Reason.COST
    assert Budget(86400.0, 3.6, 0.5, None).spent(1000.0) == pytest.approx(1.5)


def test_the_dearest_of_the_machines_that_will_do_counts() -> None:
    price = price_of(options(gpu=["T4", "H100"], cpu=2.0, memory=2048))
    assert price.dollars_per_hour == pytest.approx(3.95 + 2 * 0.0472 + 2 * 0.0080)
    assert (price.machine, price.source) == ("T4 or H100", "Modal's price list of July 2026")
    assert price_of(options(gpu="T4"), gpu=False).machine == "CPU"
    assert price_of(options(gpu="T4", price=0.5)).dollars_per_hour == 0.5
    assert price_of(options(gpu="T4", region="eu")).dollars_per_hour == pytest.approx(
        1.75 * price_of(options(gpu="T4")).dollars_per_hour, abs=1e-4
    )
    assert price_of(options(gpu="H100:8", nodes=2, cpu=8.0)).dollars_per_hour == pytest.approx(
        2 * (8 * 3.95 + 8 * 0.0472 + 4 * 0.0080)
    )
    assert price_of(options(gpu="H100:8", nodes=2)).machine == "2 machines with H100:8"
    assert price_of(options(gpu="H100:8", nodes=2), gpu=False) == price_of(options(gpu="T4"), gpu=False)
    assert price_of(options(gpu="Z9000")).dollars_per_hour > max(GPU_HOUR.values())


@pytest.mark.parametrize("name", ["gpu_{}", "GPU {} / hour", "{}"])
@pytest.mark.parametrize("unit", [1.0, 60.0, 3600.0])
def test_rates_are_read_whatever_their_names_and_units(name: str, unit: float) -> None:
    answer = {
        name.format(gpu.lower().replace("-", "_")): f"{1.1 * dollars / unit:.9f}" for gpu, dollars in GPU_HOUR.items()
    }
    found = read_rates(answer | {"volume storage": "0.09", "plan": "n/a", "cpu core": "0.05"})
    assert found == pytest.approx({gpu: 1.1 * dollars for gpu, dollars in GPU_HOUR.items()} | {"cpu": 0.05}, rel=1e-3)


# --- several GPUs, several machines ---


def a_job(**run: Any) -> Job:
    from tests.plugins.test_local import job

    return msgspec.structs.replace(job(), address="run.baby", manifest={"run": {"baby": run}})


@pytest.mark.parametrize(
    ("keys", "run", "shape"),
    [
        ({"gpu": "T4"}, {}, {}),
        ({}, {"processes": 2}, {"processes": 2}),
        ({"gpu": "H100:8"}, {}, {"processes": 8}),
        ({"gpu": ["H100:8", "A100-80GB:8"], "nodes": 2}, {"nodes": 2}, {"processes": 8, "nodes": 2}),
    ],
)
def test_a_run_takes_the_shape_of_its_machines(
    keys: dict[str, Any], run: dict[str, Any], shape: dict[str, Any]
) -> None:
    asked = a_job(**run)
    assert shaped(asked, options(**keys)).manifest["run"]["baby"] == shape
    assert asked.manifest == {"run": {"baby": run}}, "what was asked for stays as it is"


@pytest.mark.parametrize(
    ("keys", "run", "message", "hint"),
    [
        (
            {"gpu": "H100:8"},
            {"processes": 4},
            "run.baby: it says `processes = 4`, and the backend's `gpu` makes that 8",
            "leave `processes` out of the run, or change `gpu` in the backend's table",
        ),
        (
            {},
            {"nodes": 2},
            "run.baby: it says `nodes = 2`, and the backend's `nodes` makes that 1",
            "leave `nodes` out of the run, or change `nodes` in the backend's table",
        ),
    ],
)
def test_a_run_of_another_shape_is_told(keys: dict[str, Any], run: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(JobError) as caught:
        shaped(a_job(**run), options(**keys))
    assert (caught.value.message, caught.value.hint) == (message, hint)


# --- stages, names, image ---


def test_data_are_prepared_without_the_gpu_that_waits_for_them() -> None:
    from tests.plugins.test_local import job

    ready, missing = job(), msgspec.structs.replace(job(), prepare=("dataset.toy",))
    assert [first_stage(missing, gpu=True), first_stage(missing, gpu=False)] == ["prepare", "work"]
    assert first_stage(ready, gpu=True) == "work"


def test_the_name_of_an_app_fits_and_is_that_of_its_job() -> None:
    assert app_name("20260504-173600-run.baby-a1b2c3") == "tsws-20260504-173600-run.baby-a1b2c3"
    long = [app_name(f"20260504-173600-run.{'x' * 80}-{end}") for end in ("a1b2c3", "a1b2c4")]
    assert len(set(long)) == 2
    assert all(re.fullmatch(r"[a-zA-Z0-9-_.]{1,64}", name) for name in long)


def test_the_image_installs_what_is_installed_here() -> None:
    shipped = shipment(load_plugins())
    assert {"tsws", "tsws_modal", "tsws_llama", "tsws_fetchers"} <= set(shipped.modules)
    assert re.search(r"(?m)^modal = tsws_modal\.plugin$", shipped.entry_points)
    assert (shipped.folders["native"] / "include" / "tsws.h").is_file()
    wanted = requirements(shipped, [])
    assert [one for one in wanted if re.fullmatch(r"torch==[0-9.]+", one)], "without the part that names this build"
    assert not [one for one in wanted if one.startswith("modal")], "Modal brings its own client"
    assert wanted == sorted(wanted, key=lambda one: re.split("==", one)[0].lower().replace("_", "-"))
    assert "torch==2.5.0" in requirements(shipped, ["torch==2.5.0", "more"])
    assert "more" in requirements(shipped, ["more"])


def test_an_image_is_a_value_until_it_is_deployed(tmp_path: Path) -> None:
    shipped = Shipment(("tsws",), {"native": tmp_path}, "[tsws]\n", ("numpy==2.4.1",))
    build_image(shipped, [], tmp_path / "cache")
    assert (tmp_path / "cache" / "entry_points.txt").read_text() == "[tsws]\n"
