"""Comparing a whole graph with what is the case. Pure: no disk, no network."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from tsws.reconcile.action import Action, Change, Plan
from tsws.reconcile.decide import ABSENT, ELSEWHERE, InputState, decide, digest_after
from tsws.reconcile.facts import Facts, Observation
from tsws.reconcile.graph import Graph, needs

_NOTHING = Facts()
_MAKING = {Change.CREATE, Change.UPDATE, Change.EXTEND, Change.REPAIR, Change.PENDING}
"""Changes for which the files of the inputs may be read."""


def compare(
    graph: Graph,
    observation: Observation,
    targets: Iterable[str],
    *,
    replaced: Collection[str] = (),
    orphans: Iterable[str] = (),
    settled: Collection[str] = (),
) -> Plan:
    """The plan that brings the targets, and all they need, to what the graph wants.

    Args:
        graph: what is wanted.
        observation: what is the case.
        targets: addresses to bring up to date.
        replaced: addresses to make anew whatever their records say.
        orphans: recorded addresses that the graph no longer has.
        settled: addresses that nothing has to wait for any more, whatever there would be to do about them.

    Raises:
        PlanError: a target does not exist.
    """
    wanted = set(targets)
    actions: dict[str, Action] = {}
    states: dict[str, InputState] = {}
    order = graph.closure(wanted)
    for address in order:
        resource = graph[address]
        facts = observation.get(address, _NOTHING)
        action = decide(
            resource,
            facts,
            {needed: states[needed] for needed in needs(resource)},
            replaced=address in replaced,
            demanded=not resource.on_demand or address in wanted,
        )
        actions[address] = action
        change = Change.KEEP if address in settled and action.change.acts else action.change
        states[address] = InputState(change, digest_after(action, facts))
    for address in reversed(order):
        if actions[address].change is Change.KEEP and actions[address].reason in {ABSENT, ELSEWHERE}:
            readers = [one for one in graph.dependants(address) if one in actions and address in graph[one].inputs]
            needed_by = [one for one in readers if _reads(actions[one])]
            if needed_by:
                change = Change.REPAIR if actions[address].reason == ABSENT else Change.CREATE
                reason = f"its files are not there, and {needed_by[0]} needs them"
                actions[address] = replace(actions[address], change=change, reason=reason)
    estimated = [_estimate(graph, actions[address], observation) for address in order]
    gone = [Action(address, Change.ORPHAN, "no longer declared; `tsws gc` removes it") for address in sorted(orphans)]
    return Plan((*estimated, *gone))


def _reads(action: Action) -> bool:
    """Whether carrying out an action reads its inputs' files (putting back a kept version does not)."""
    return action.change in _MAKING and not (action.change is Change.REPAIR and action.version)


def _estimate(graph: Graph, action: Action, observation: Observation) -> Action:
    if not action.change.acts:
        return action
    resource = graph[action.address]
    facts = observation.get(action.address, _NOTHING)
    return replace(action, estimate=resource.rule.estimate(resource, action.change, facts))
