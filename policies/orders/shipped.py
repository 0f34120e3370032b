"""What ships of replenishment: in one file, the network that `tradewind evaluate` goes by and the prior of workers."""

from functools import cache
from typing import Final

from policies.artefact import Array, load
from policies.shipped import FOLDER

SCHEMA: Final = "replenishment-network/1"


@cache
def tensors() -> dict[str, Array]:
    """By name. Raises ArtefactError for a file that is damaged."""
    return load(FOLDER / "replenishment.safetensors", schema=SCHEMA).tensors
