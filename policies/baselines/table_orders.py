"""The exact optimum as a rule of the task: the order of each state looked up in a table."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policies.baselines.lost_sales_exact import Solved

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TableOrders:
    """States beyond the table's edge are taken to be at it."""

    solved: Solved

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats:
        orders = self.solved.orders
        state = np.concatenate([on_hand[:, None], pipeline], axis=1)[:, : orders.ndim].astype(np.int64)
        most = np.array(orders.shape) - 1
        return orders[tuple(np.minimum(state, most).T)].astype(np.float64)

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        """It has nothing to learn."""
