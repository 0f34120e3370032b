"""Resolve the peers' locks anew: their own packages, and what the step needs at the product's versions.

python -m tests.benchmarks.engine.relock
"""

import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

PEERS: Final = ("quix", "faust")
STEP: Final = (
    "river",
    "torch",
    "numpy",
    "msgspec",
    "orjson",
    "safetensors",
)  # what the step imports
_FOLDER: Final = Path(__file__).parent / "peers"
_PRODUCT: Final = Path(__file__).parents[3] / "requirements.lock"


def lock_of(peer: str) -> Path:
    """Where a peer's lock lies."""
    return _FOLDER / f"{peer}.lock"


def pins(lock: Path, names: Collection[str]) -> list[str]:
    """The lines of a lock that pin these packages, without their hashes."""
    lines = re.findall(r"^([a-z0-9-]+)(==.*?) *\\?$", lock.read_text(), re.MULTILINE)
    return [name + version for name, version in lines if name in names]


def main() -> None:
    uv = str(Path(sys.executable).parent / "uv")
    # No notes on who wants what: they would name the constraints' passing file.
    options = ["--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate", "--universal", "--quiet"]
    with NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(pins(_PRODUCT, STEP)))
        constraints.flush()
        options += ["--python-version", "3.11", "--constraint", constraints.name]
        for peer in PEERS:
            files = [f"{peer}.in", "--output-file", f"{peer}.lock"]
            subprocess.run([uv, "pip", "compile", *options, *files], cwd=_FOLDER, check=True)


if __name__ == "__main__":
    main()
