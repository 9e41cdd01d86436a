"""A graph of resources as text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tsws.reconcile.graph import Graph, needs


def tree(graph: Graph) -> Iterator[str]:
    """A tree for each resource that nothing needs. What was shown already is named, and not shown again."""
    seen: set[str] = set()
    for address in graph.sinks():
        yield from _branch(graph, address, "", "", seen)


def dot(graph: Graph) -> Iterator[str]:
    """For Graphviz; an arrow goes to what is made from something, a dashed one to what only waits."""
    yield "digraph workspace {"
    yield "  rankdir=LR; node [shape=box];"
    yield from (f'  "{resource.address}";' for resource in graph)
    for resource in graph:
        yield from (f'  "{one}" -> "{resource.address}";' for one in resource.inputs)
        yield from (f'  "{one}" -> "{resource.address}" [style=dashed];' for one in resource.after)
    yield "}"


def mermaid(graph: Graph) -> Iterator[str]:
    """For Markdown pages: https://mermaid.js.org/syntax/flowchart.html."""
    names = {resource.address: f"n{number}" for number, resource in enumerate(graph)}
    yield "graph LR"
    yield from (f'  {name}["{address}"]' for address, name in names.items())
    for resource in graph:
        yield from (f"  {names[one]} --> {names[resource.address]}" for one in resource.inputs)
        yield from (f"  {names[one]} -.-> {names[resource.address]}" for one in resource.after)


FORMATS: dict[str, Callable[[Graph], Iterator[str]]] = {"text": tree, "dot": dot, "mermaid": mermaid}
"""What ``--format`` takes."""


def _branch(graph: Graph, address: str, lead: str, below: str, seen: set[str]) -> Iterator[str]:
    needed = needs(graph[address])
    again = address in seen and needed
    yield f"{lead}{address}{' (shown above)' if again else ''}"
    if again:
        return
    seen.add(address)
    for number, one in enumerate(needed):
        last = number == len(needed) - 1
        yield from _branch(graph, one, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), seen)
