"""What `pretrain bidding` makes: the prior over markets that evaluations go by, and the one that workers do."""

from collections.abc import Callable

from policies.artefact import Array
from policies.bidding import markets_training, pacing_training
from policies.portable import kept

Tell = Callable[[str], None]


def train(seed: int, tell: Tell) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of the shipped artefact, and what is said of them. Some ten minutes on one core."""
    markets, said = markets_training.train(seed, tell)
    live, said_live = pacing_training.train(seed, tell)
    return {name: kept(array) for name, array in (markets | live).items()}, said | said_live
