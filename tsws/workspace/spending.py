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
    most_dollars: float | None
    """What those are stopped at, together; None: one of them runs to its end."""
    open_ended: tuple[str, ...]
    """Those of them that nobody could stop at some cost."""


def spending(plan: Plan) -> Spending:
    """What a plan will cost."""
    estimates = {action.address: action.estimate for action in plan.changes if action.estimate is not None}
    unbounded = {
        address: estimate
        for address, estimate in estimates.items()
        if estimate.dollars_per_hour and estimate.dollars is None
    }
    limits = [estimate.most_dollars for estimate in unbounded.values()]
    known = [limit for limit in limits if limit is not None]
    return Spending(
        dollars=sum(estimate.dollars or 0.0 for estimate in estimates.values()),
        unbounded=tuple(unbounded),
        dollars_per_hour=sum(estimate.dollars_per_hour or 0.0 for estimate in unbounded.values()),
        most_dollars=sum(known) if len(known) == len(limits) else None,
        open_ended=tuple(address for address, estimate in unbounded.items() if not estimate.bounded),
    )


def check_spending(plan: Plan, max_cost: float | None) -> None:
    """Refuse a plan that may cost more than allowed. What is stopped before it does is none.

    Args:
        plan: what would be done.
        max_cost: dollars; None: whatever it takes.

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
    if cost.open_ended:
        names = ", ".join(cost.open_ended)
        raise PlanError(
            f"{names} would cost {format_dollars(cost.dollars_per_hour)} an hour for a time that was never measured, so"
            f" {format_dollars(max_cost)} can not be promised",
            hint="measure with a short run first (fewer max_iters), or leave --max-cost out and agree to it",
        )
