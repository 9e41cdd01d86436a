"""Toy resources for the engine's tests: every file is text, made from other texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsws.job import Event
from tsws.reconcile.action import Action, Change, Plan
from tsws.reconcile.apply import Report, apply
from tsws.reconcile.compare import compare
from tsws.reconcile.facts import Facts, Version
from tsws.reconcile.graph import Graph
from tsws.reconcile.make import carry_out
from tsws.reconcile.observe import Observer
from tsws.reconcile.record import Record
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result
from tsws.reconcile.store import Store


class TextRule(BaseRule):
    """Writes its ``text``, the texts of its inputs and its sources, cut to ``length`` characters where that is given."""

    def __init__(self, version: int = 1, meanwhile: Callable[[Making], None] | None = None) -> None:
        self.version = version
        self.made: list[str] = []
        self._meanwhile = meanwhile

    def make(self, making: Making) -> Result:
        resource = making.resource
        parts = [str(resource.identity.get("text", ""))]
        parts += [making.input_path(address, "text").read_text() for address in resource.inputs]
        parts += [(making.root / source).read_text() for source in resource.sources]
        if self._meanwhile is not None:
            self._meanwhile(making)
        path = making.folder / "text"
        path.write_text("+".join(parts)[: resource.identity.get("length")])
        self.made.append(resource.address)
        return Result([Made("text", path, to) for to in resource.outputs])


class CountingRule(BaseRule):
    """A long work in steps that keeps its versions and can go on from an earlier one."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.steps = 0

    def make(self, making: Making) -> Result:
        wanted = int(making.resource.identity["steps"])
        checkpoint = making.folder / "checkpoint"
        if not checkpoint.exists() and making.predecessor is not None:
            checkpoint.write_text((making.predecessor / "checkpoint").read_text())
        while (done := int(checkpoint.read_text()) if checkpoint.exists() else 0) < wanted:
            checkpoint.write_text(str(done + 1))
            self.steps += 1
        result = making.folder / "result"
        result.write_text("x" * wanted)
        self.made.append(making.resource.address)
        return Result(
            [
                Made("checkpoint", checkpoint, essential=False),
                *(Made("text", result, to) for to in making.resource.outputs),
            ]
        )

    def progress_of(self, folder: Path) -> Mapping[str, Any]:
        checkpoint = folder / "checkpoint"
        return {"step": int(checkpoint.read_text())} if checkpoint.exists() else {}

    def continues(self, resource: Resource, versions: Sequence[Version]) -> tuple[Version, str] | None:
        earlier = [one for one in versions if one.progress.get("step", 0) < resource.identity["steps"]]
        if not earlier:
            return None
        best = max(earlier, key=lambda one: one.progress["step"])
        return best, f"continues at step {best.progress['step']}"


@dataclass
class Workshop:
    """A workspace of toy resources on a real disk."""

    root: Path
    rule: TextRule = field(default_factory=TextRule)
    events: list[Event] = field(default_factory=list)
    elsewhere: dict[str, Record] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return Store(self.root)

    def thing(self, address: str, text: str = "", *inputs: str, **more: Any) -> Resource:
        """A resource whose file is ``<address>.txt``; ``length`` goes into its identity, the rest into the resource."""
        identity: dict[str, Any] = {"text": text}
        if "length" in more:
            identity["length"] = more.pop("length")
        more.setdefault("outputs", (f"{address}.txt",))
        more.setdefault("rule", self.rule)
        return Resource(address, identity=identity, inputs=inputs, **more)

    def observer(self) -> Observer:
        return Observer(self.store, self.elsewhere.get)

    def plan(
        self, resources: Iterable[Resource], targets: Collection[str] | None = None, replaced: Collection[str] = ()
    ) -> Plan:
        graph = Graph(resources)
        wanted = graph.sinks() if targets is None else targets
        observer = self.observer()
        observation = observer.observe(graph, graph.closure(wanted))
        return compare(graph, observation, wanted, replaced=replaced, orphans=observer.orphans(graph))

    def apply(
        self,
        resources: Iterable[Resource],
        targets: Collection[str] | None = None,
        *,
        stop: Callable[[], bool] = lambda: False,
        **options: Any,
    ) -> Report:
        graph = Graph(resources)
        observer = self.observer()

        def do(action: Action, facts: Facts) -> None:
            resource = graph[action.address]
            inputs = {address: record for address in resource.inputs if (record := self.store.record(address))}
            carry_out(self.store, resource, action, facts, inputs, self.events.append, stop)

        return apply(
            graph,
            graph.sinks() if targets is None else targets,
            look=lambda addresses: observer.observe(graph, addresses),
            carry_out=do,
            emit=self.events.append,
            stop=stop,
            **options,
        )

    def made(self) -> list[str]:
        """What was made since the last time that this was asked."""
        made, self.rule.made = self.rule.made, []
        return made

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def replaced(self) -> list[str]:
        """The contents of every file that was set aside."""
        folder = self.root / ".tsws" / "replaced"
        return sorted(path.read_text() for path in folder.rglob("*") if path.is_file())

    def files(self) -> dict[str, str]:
        """Every file outside ``.tsws`` with its text."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        visible = (path for path in found if ".tsws" not in path.relative_to(self.root).parts)
        return {path.relative_to(self.root).as_posix(): path.read_text() for path in visible}


def changes(plan: Plan) -> dict[str, Change]:
    """What a plan does to each resource."""
    return {action.address: action.change for action in plan}
