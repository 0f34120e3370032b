"""What ships of recommendation: the prior that workers choose slates by, and the evaluated next-basket network.

Each is trained by a module beside it; the numbers of both go into one file.
"""

from collections.abc import Callable, Sequence

from policies.artefact import Array
from policies.baskets import training as network_training
from policies.baskets.training import Log
from policies.slates import training as prior_training
from policies.slates.training import Play


def train(
    seed: int, tell: Callable[[str], None], *, play: Play, logs: Sequence[Log] = ()
) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of the shipped artefact, and what is said of them. The same seed and logs give the same ones."""
    prior, of_prior = prior_training.train(seed, tell, play=play)
    network, of_network = network_training.train(seed, tell, logs=logs)
    return network | prior, of_network | of_prior
