"""Laws of planning and applying, over random graphs and random histories."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from reconcile_toys import Workshop

from tsws.reconcile.apply import Outcome
from tsws.reconcile.graph import Graph
from tsws.reconcile.resource import Resource

TEXTS = st.sampled_from(["p", "q", "pq"])


@dataclass(frozen=True)
class Node:
    """What a random manifest says about one resource."""

    text: str
    inputs: tuple[int, ...]
    after: tuple[int, ...]
    length: int | None
    on_demand: bool
    versioned: bool
    source: bool
    place: str = ""
    """Folder of its file."""

    def path(self, number: int) -> str:
        return f"{self.place}n.{number}.txt"


@st.composite
def manifests(draw: st.DrawFn) -> tuple[Node, ...]:
    """Resources that only need earlier ones, so that there is no circle."""
    nodes = []
    for number in range(draw(st.integers(1, 6))):
        earlier = st.sets(st.integers(0, number - 1), max_size=3) if number else st.just(set())
        node = Node(
            text=draw(TEXTS),
            inputs=tuple(sorted(draw(earlier))),
            after=tuple(sorted(draw(earlier))),
            length=draw(st.none() | st.integers(0, 2)),
            on_demand=draw(st.booleans()),
            versioned=draw(st.booleans()),
            source=draw(st.booleans()),
        )
        nodes.append(node)
    return tuple(nodes)


@st.composite
def histories(draw: st.DrawFn) -> tuple[tuple[Node, ...], list[tuple[str, int, str]]]:
    """A manifest, and what happens to it and to its files."""
    manifest = draw(manifests())
    kinds = st.sampled_from(["text", "length", "source", "edit", "remove", "move", "back"])
    return manifest, draw(st.lists(st.tuples(kinds, st.integers(0, len(manifest) - 1), TEXTS), max_size=4))


def resources(workshop: Workshop, manifest: tuple[Node, ...]) -> list[Resource]:
    def address(number: int) -> str:
        return f"n.{number}"

    return [
        workshop.thing(
            address(number),
            node.text,
            *map(address, node.inputs),
            after=tuple(map(address, node.after)),
            length=node.length,
            on_demand=node.on_demand,
            outputs=(node.path(number),),
            versions=f".tsws/runs/{number}" if node.versioned else None,
            sources=(f"source-{number}",) if node.source else (),
        )
        for number, node in enumerate(manifest)
    ]


def happen(workshop: Workshop, manifest: tuple[Node, ...], event: tuple[str, int, str]) -> tuple[Node, ...]:
    """One thing that a person does between two applies."""
    kind, number, text = event
    node, output = manifest[number], workshop.root / manifest[number].path(number)
    if kind == "text":
        node = replace(node, text=text)
    elif kind == "length":
        node = replace(node, length=len(text))
    elif kind == "source":
        workshop.write(f"source-{number}", text)
    elif kind == "move":
        node = replace(node, place=f"{text}/")
    elif kind == "edit":
        workshop.write(node.path(number), text)
    elif kind == "remove":
        output.unlink(missing_ok=True)
    return (*manifest[:number], node, *manifest[number + 1 :])


def expected(manifest: tuple[Node, ...], workshop: Workshop) -> list[str]:
    """What each file says when everything is made, worked out without the engine."""
    texts: list[str] = []
    for number, node in enumerate(manifest):
        parts = [node.text, *(texts[one] for one in node.inputs)]
        parts += [workshop.read(f"source-{number}")] if node.source else []
        texts.append("+".join(parts)[: node.length])
    return texts


@settings(max_examples=40, deadline=None)
@given(histories())
def test_apply_does_what_the_plan_said_and_then_nothing_is_left(
    history: tuple[tuple[Node, ...], list[tuple[str, int, str]]],
) -> None:
    manifest, events = history
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        for number in range(len(manifest)):
            workshop.write(f"source-{number}", "s")
        past = [manifest]
        for event in [None, *events]:
            if event is not None:
                manifest = past[0] if event[0] == "back" else happen(workshop, manifest, event)
                past.append(manifest)
            things = resources(workshop, manifest)
            plan = workshop.plan(things)
            workshop.made()
            report = workshop.apply(things, jobs=2)

            assert report.ok
            planned = {action.address for action in plan.changes}
            assert {result.address for result in report.done} <= planned
            assert set(workshop.made()) <= planned

            for number, text in enumerate(expected(manifest, workshop)):
                record = workshop.store.record(f"n.{number}")
                assert record is not None
                (output,) = record.outputs
                if (workshop.root / output.path).exists():
                    assert workshop.read(output.path) == text
                    assert manifest[number].on_demand or output.path == manifest[number].path(number)
                else:
                    assert manifest[number].on_demand

            assert workshop.plan(things).changes == ()
            again = workshop.apply(things, jobs=2)
            assert {result.outcome for result in again.results} == {Outcome.KEPT}
            assert workshop.made() == []


@settings(max_examples=60, deadline=None)
@given(manifests(), st.randoms(use_true_random=False))
def test_plan_does_not_care_for_the_order_of_declaration(manifest: tuple[Node, ...], random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        for number in range(len(manifest)):
            workshop.write(f"source-{number}", "s")
        things = resources(workshop, manifest)
        shuffled = list(things)
        random.shuffle(shuffled)
        one, other = workshop.plan(things), workshop.plan(shuffled)
        assert {action.address: action for action in one} == {action.address: action for action in other}
        graph = Graph(shuffled)
        position = {address: number for number, address in enumerate(graph.order)}
        assert all(position[need] < position[thing.address] for thing in things for need in thing.inputs)
