"""The resources of a workspace and how they depend on each other."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from tsws.errors import PlanError
from tsws.reconcile.resource import Resource


class Graph:
    """A checked, immutable set of resources in dependency order.

    Raises:
        PlanError: two resources with one address, an input that does not exist, or a circle.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources: dict[str, Resource] = {}
        for resource in resources:
            if resource.address in self._resources:
                raise PlanError(f"two resources have the address {resource.address}")
            self._resources[resource.address] = resource
        for resource in self._resources.values():
            for address in needs(resource):
                if address not in self._resources:
                    raise PlanError(f"{resource.address} needs {address}, which is not declared")
        try:
            sorter = TopologicalSorter({r.address: needs(r) for r in self._resources.values()})
            self.order: tuple[str, ...] = tuple(sorter.static_order())
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            raise PlanError(f"these resources depend on each other in a circle: {circle}") from None

    def __iter__(self) -> Iterator[Resource]:
        """In dependency order: inputs first."""
        return (self._resources[address] for address in self.order)

    def __contains__(self, address: str) -> bool:
        return address in self._resources

    def __getitem__(self, address: str) -> Resource:
        """The resource of an address.

        Raises:
            PlanError: there is none; the hint names the nearest.
        """
        try:
            return self._resources[address]
        except KeyError:
            raise PlanError(f"there is no resource {address!r}", hint=self._nearest(address)) from None

    def _nearest(self, address: str) -> str:
        known = sorted(self._resources)
        close = difflib.get_close_matches(address, known, n=1, cutoff=0.5)
        if not close:
            close = [one for one in known if one.partition(".")[2] == address][:1]
        return f"did you mean {close[0]}?" if close else "`tsws graph` lists the addresses"

    def closure(self, targets: Iterable[str]) -> tuple[str, ...]:
        """The targets and everything they need, in dependency order."""
        wanted: set[str] = set()
        stack = list(targets)
        while stack:
            address = stack.pop()
            if address not in wanted:
                wanted.add(address)
                stack.extend(needs(self[address]))
        return tuple(address for address in self.order if address in wanted)

    def dependants(self, address: str) -> tuple[str, ...]:
        """Who reads or waits for a resource, directly."""
        return tuple(resource.address for resource in self if address in needs(resource))

    def sinks(self) -> tuple[str, ...]:
        """The resources that nothing needs: what "everything" means."""
        needed = {address for resource in self for address in needs(resource)}
        return tuple(address for address in self.order if address not in needed)


def needs(resource: Resource) -> tuple[str, ...]:
    """Everything that has to be settled before a resource."""
    return (*resource.inputs, *resource.after)
