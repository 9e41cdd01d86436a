"""The choice of a token, against the plain loops that the arithmetic is defined by."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tsws.model.sampler import Sampler, XorShift

f32 = np.float32


def by_loops(logits: list[float], temperature: float, top_p: float, coin: float) -> int:
    scaled = [f32(logit) / f32(temperature) for logit in logits]
    largest = max(scaled)
    weights = list(np.exp(np.array([logit - largest for logit in scaled], dtype=f32)))
    total = f32(0)
    for weight in weights:
        total = f32(total + weight)
    probabilities = [f32(weight / total) for weight in weights]
    order = list(range(len(probabilities)))
    threshold = f32(coin)
    if 0 < top_p < 1:
        cutoff = f32(f32(1) - f32(top_p)) / f32(len(probabilities) - 1)
        order = sorted((i for i in order if probabilities[i] >= cutoff), key=lambda i: -probabilities[i])
        if not order:
            return probabilities.index(max(probabilities))
        mass = f32(0)
        for count, token in enumerate(order, 1):
            mass = f32(mass + probabilities[token])
            if mass > f32(top_p):
                order = order[:count]
                break
        threshold = f32(threshold * mass)
    mass = f32(0)
    for token in order:
        mass = f32(mass + probabilities[token])
        if threshold < mass:
            return token
    return order[-1]


@given(
    logits=st.lists(st.integers(-80, 80).map(lambda n: n / 8), min_size=2, max_size=40),
    temperature=st.sampled_from([0.3, 0.8, 1.0, 1.5]),
    top_p=st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.95, 1.0]),
    seed=st.integers(1, 2**63),
)
def test_it_chooses_as_the_loops_do(logits: list[float], temperature: float, top_p: float, seed: int) -> None:
    coin = XorShift(seed).uniform()
    chosen = Sampler(temperature, top_p, XorShift(seed)).choose(np.array(logits, dtype=f32))
    assert chosen == by_loops(logits, temperature, top_p, coin)


def test_temperature_zero_takes_the_first_of_the_likeliest() -> None:
    assert Sampler(0.0, 0.9, XorShift(1)).choose(np.array([0, 3, 1, 3], dtype=f32)) == 1


def test_the_generator_gives_the_published_sequence() -> None:
    generator = XorShift(1)
    # xorshift64* from state 1: 0x47E4CE4B896CDD1D, then 0xABCFA6A8E079651D (its upper 24 bits make the number)
    assert [generator.uniform(), generator.uniform()] == [0x47E4CE / 2**24, 0xABCFA6 / 2**24]
