"""The golden replay as another processor would make it: numpy's exponentials and logarithms in other last bits.

python -m tests.unit.replay.elsewhere    # prints what golden.json says; torch: ATEN_CPU_CAPABILITY=default
"""

import json
from collections.abc import Callable
from typing import Any, Final

import numpy as np

NAMES: Final = ("exp", "exp2", "expm1", "log", "log1p", "log2", "power", "tanh")


def nudged(function: Callable[..., Any], rng: np.random.Generator) -> Callable[..., Any]:
    """The same, with a third of its results a unit in the last place higher, and a third lower."""

    def elsewhere(*given: Any, out: Any = None, **options: Any) -> Any:
        exact = np.asarray(function(*given, **options))
        settled = ~np.isfinite(exact) | (exact == 0.0) | (exact == 1.0)
        aside = np.where(settled, 0, rng.integers(-1, 2, exact.shape))
        with np.errstate(invalid="ignore"):
            found = np.where(settled, exact, exact + aside * np.spacing(exact))
        if out is None:
            return found[()]
        out[...] = found
        return out

    return elsewhere


def main() -> None:
    rng = np.random.default_rng(0)
    for name in NAMES:
        setattr(np, name, nudged(getattr(np, name), rng))
    from tests.unit.replay.golden import made  # what is worked out on import is worked out there too

    print(json.dumps(made()))  # noqa: T201 # it is what its caller reads


if __name__ == "__main__":
    main()
