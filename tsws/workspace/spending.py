"""Spending asks first, and what can not be bounded is not taken for nothing."""

from __future__ import annotations

from dataclasses import dataclass

from tsws.errors import PlanError
from tsws.io.sizes import format_dollars
from tsws.reconcile.action import Plan


@dataclass(frozen=True)
class Spending:
    """What a plan costs, as far as anyone can know beforehand."""

    dollars: float
    """The sum of what is estimated."""
    unbounded: tuple[str, ...]
    """Addresses on machines that cost by the hour, for a time that nobody knows yet."""
    dollars_per_hour: float
    """What those cost together."""


def spending(plan: Plan) -> Spending:
    """What a plan will cost."""
    estimates = {action.address: action.estimate for action in plan.changes if action.estimate is not None}
    unbounded = {
        address: estimate.dollars_per_hour
        for address, estimate in estimates.items()
        if estimate.dollars_per_hour and estimate.dollars is None
    }
    return Spending(
        dollars=sum(estimate.dollars or 0.0 for estimate in estimates.values()),
        unbounded=tuple(unbounded),
        dollars_per_hour=sum(unbounded.values()),
    )


def check_spending(plan: Plan, max_cost: float | None) -> None:
    """Refuse a plan that may cost more than allowed.

    Raises:
        PlanError: it is estimated to, or nobody can tell.
    """
    if max_cost is None:
        return
    cost = spending(plan)
    if cost.dollars > max_cost:
        raise PlanError(
            f"the plan is estimated to cost {format_dollars(cost.dollars)}, more than the {format_dollars(max_cost)}"
            " that are allowed",
            hint="raise --max-cost, or choose fewer iterations or a cheaper machine",
        )
    if cost.unbounded:
        names = ", ".join(cost.unbounded)
        raise PlanError(
            f"{names} would cost {format_dollars(cost.dollars_per_hour)} an hour for a time that was never measured, so"
            f" {format_dollars(max_cost)} can not be promised",
            hint="measure with a short run first (fewer max_iters), or leave --max-cost out and agree to it",
        )
