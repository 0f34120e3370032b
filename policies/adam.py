"""Adam (Kingma & Ba, arXiv 1412.6980): weights follow their gradients, one step at a time.

The step is torch's own function. Its class, `torch.optim.Adam`, loads torch's compiler with the first of its kind: a
second that nothing here needs, and with it a library that tells at the end of the process what it has leaked.
"""

from collections.abc import Iterable
from typing import Final

import torch
from torch.optim.adam import adam

BETA_1: Final = 0.9
BETA_2: Final = 0.999
EPSILON: Final = 1e-8


class Adam:
    """Of some weights, which require gradients: the running means m of those, and v of their squares."""

    def __init__(self, weights: Iterable[torch.Tensor]) -> None:
        self.weights = list(weights)
        self._m = [torch.zeros_like(each) for each in self.weights]
        self._v = [torch.zeros_like(each) for each in self.weights]
        self._t = [torch.zeros(()) for _ in self.weights]

    def step(self, rate: float) -> None:
        """Move every weight by its gradient; `rate` is the paper's α. Raises ValueError where one has none."""
        gradients = [each.grad for each in self.weights if each.grad is not None]
        if len(gradients) < len(self.weights):
            raise ValueError("a weight has no gradient: go backward from a loss first")
        with torch.no_grad():
            adam(
                self.weights,
                gradients,
                self._m,
                self._v,
                [],
                self._t,
                amsgrad=False,
                beta1=BETA_1,
                beta2=BETA_2,
                lr=rate,
                weight_decay=0.0,
                eps=EPSILON,
                maximize=False,
            )

    def forget_gradients(self) -> None:
        """Before the next ones are worked out: torch adds to what is there."""
        for each in self.weights:
            each.grad = None
