"""Graphs are checked, ordered and cut to what is wanted."""

from __future__ import annotations

import pytest
from reconcile_toys import TextRule

from tsws.errors import PlanError
from tsws.reconcile.graph import Graph
from tsws.reconcile.resource import Resource


def resource(address: str, *inputs: str, after: tuple[str, ...] = ()) -> Resource:
    return Resource(address, TextRule(), inputs=inputs, after=after)


def test_order_puts_inputs_first_whatever_the_declaration() -> None:
    graph = Graph([resource("c", "b"), resource("b", after=("a",)), resource("a")])
    assert graph.order == ("a", "b", "c")
    assert [one.address for one in graph] == ["a", "b", "c"]
    assert graph.closure(["b"]) == ("a", "b")
    assert graph.dependants("a") == ("b",)
    assert graph.sinks() == ("c",)
    assert ("a" in graph, "z" in graph) == (True, False)


def test_two_of_one_address_are_refused() -> None:
    with pytest.raises(PlanError, match=r"^two resources have the address a$"):
        Graph([resource("a"), resource("a")])


def test_unknown_input_is_refused() -> None:
    with pytest.raises(PlanError, match=r"^a needs b, which is not declared$"):
        Graph([resource("a", after=("b",))])


def test_circle_is_shown() -> None:
    with pytest.raises(PlanError, match="in a circle") as caught:
        Graph([resource("a", "c"), resource("b", "a"), resource("c", "b")])
    circle = caught.value.message.partition(": ")[2].split(" -> ")
    assert (circle[0], set(circle)) == (circle[-1], {"a", "b", "c"})


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("run.babi", "did you mean run.baby?"),
        ("baby", "did you mean run.baby?"),
        ("zzz", "`tsws graph` lists the addresses"),
    ],
)
def test_unknown_address_gets_a_hint(asked: str, hint: str) -> None:
    with pytest.raises(PlanError) as caught:
        Graph([resource("run.baby"), resource("dataset.toy")])[asked]
    assert caught.value.hint == hint
