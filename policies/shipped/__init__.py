"""The priors that ship with the package, as `tradewind policies pretrain` made them: one file a domain."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from policies.artefact import Array, ArtefactError, load

FOLDER: Final = Path(__file__).parent


@cache
def tensors(domain: str, *, schema: str) -> Mapping[str, Array]:
    """All that a domain's file holds, by name. Raises ArtefactError for a file that is damaged."""
    return load(FOLDER / f"{domain}.safetensors", schema=schema).tensors


def numbers(domain: str, *, schema: str, names: Collection[str]) -> dict[str, Any]:
    """Those of these names, as floats and lists of them. Raises ArtefactError, for a file that lacks one too."""
    held = tensors(domain, schema=schema)
    missing = [name for name in names if name not in held]
    if missing:
        raise ArtefactError(f"what ships of {domain} lacks {', '.join(missing)}")
    return {name: held[name].tolist() for name in names}
