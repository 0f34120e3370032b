"""Adam: the paper's steps, and nothing loaded for them that the end of the process would have to speak of."""

import sys

import numpy as np
import pytest
import torch

from policies.adam import Adam


def test_it_makes_the_papers_steps() -> None:
    weights = [torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True), torch.zeros(3, requires_grad=True)]
    adam = Adam(weights)
    expected = [each.detach().double().numpy().copy() for each in weights]
    m, v = [0.0 * each for each in expected], [0.0 * each for each in expected]
    for t, alpha in enumerate((0.1, 0.1, 0.03, 0.01), start=1):
        adam.forget_gradients()
        loss = (weights[0] ** 2).sum() + (t * torch.arange(3.0) * weights[1]).sum()
        loss.backward()  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped
        gradients = [2.0 * expected[0], t * np.arange(3.0)]
        adam.step(alpha)
        for i, g in enumerate(gradients):
            m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g * g
            expected[i] = expected[i] - alpha * (m[i] / (1.0 - 0.9**t)) / (np.sqrt(v[i] / (1.0 - 0.999**t)) + 1e-8)
            assert weights[i].detach().numpy() == pytest.approx(expected[i], rel=1e-6, abs=1e-7)


def test_a_weight_without_a_gradient_is_an_error() -> None:
    weights = [torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)]
    adam = Adam(weights)
    weights[0].sum().backward()  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped
    with pytest.raises(ValueError, match="has no gradient"):
        adam.step(0.1)


def test_torchs_compiler_is_not_loaded() -> None:
    was_there = "torch._dynamo" in sys.modules  # by another test
    weight = torch.zeros(2, requires_grad=True)
    weight.sum().backward()  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped
    Adam([weight]).step(0.1)
    assert was_there or "torch._dynamo" not in sys.modules
