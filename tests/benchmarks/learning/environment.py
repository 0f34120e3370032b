"""A peer's own environment, made from its lock: every package by its hash, kept until the lock changes.

`python -m tests.benchmarks.learning.environment` resolves the locks anew.
"""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
_PEERS: Final = Path(__file__).parent / "peers"
_UV: Final = str(Path(sys.executable).parent / "uv")


def ensure(name: str) -> Path:
    """The python of one peer's environment, installed now unless it is as its lock says."""
    lock, folder = _PEERS / f"{name}.lock", ROOT / "build" / "peers" / name
    stamp, wanted = folder / ".lock", sha256(lock.read_bytes()).hexdigest()
    python = folder / "bin" / "python"
    if not (stamp.exists() and stamp.read_text() == wanted):
        sys.stderr.write(f"installing {name} into {folder.relative_to(ROOT)}\n")
        subprocess.run([_UV, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        sync = [_UV, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock)]
        subprocess.run(sync, check=True)
        stamp.write_text(wanted)
    return python


def main() -> None:
    options = ["--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate", "--universal", "--quiet"]
    for wanted in sorted(_PEERS.glob("*.in")):
        files = [wanted.name, "--python-version", "3.11", "--output-file", f"{wanted.stem}.lock"]
        subprocess.run([_UV, "pip", "compile", *options, *files], cwd=_PEERS, check=True)


if __name__ == "__main__":
    main()
