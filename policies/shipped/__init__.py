"""The priors that ship with the package, as `tradewind policies pretrain` made them: one file a domain."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from policies.artefact import Array, load

FOLDER: Final = Path(__file__).parent


@cache
def tensors(domain: str, *, schema: str) -> Mapping[str, Array]:
    """All that a domain's file holds, by name. Raises ArtefactError for a file that is damaged."""
    return load(FOLDER / f"{domain}.safetensors", schema=schema).tensors


def numbers(domain: str, *, schema: str, names: Iterable[str]) -> dict[str, Any]:
    """Those of these names, as floats and lists of them, where the file says them. Raises ArtefactError."""
    held = tensors(domain, schema=schema)
    return {name: held[name].tolist() for name in names if name in held}
