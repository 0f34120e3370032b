"""What ships of replenishment: the prior that workers' beliefs of demand start from, and the evaluated order network.

Each is trained by a module beside it; the numbers of both go into one file.
"""

from collections.abc import Callable

from policies.artefact import Array
from policies.orders import demand_training, network_training
from policies.orders.demand import SCHEMA
from policies.tasks.assortment import YEAR


def train(
    seed: int,
    tell: Callable[[str], None],
    *,
    skus: int = demand_training.SKUS,
    days: int = YEAR,
    steps: int = network_training.STEPS,
    lanes: int = network_training.LANES,
) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of the shipped artefact, and what is said of them. A seed gives the same on the same machine."""
    prior, of_prior = demand_training.train(seed, tell, skus=skus, days=days)
    network, of_network = network_training.train(seed, tell, steps, lanes)
    return network | prior, {"schema": SCHEMA, "seed": str(seed)} | of_network | of_prior
