"""How this process runs its interpreter: one thread of arithmetic, and a garbage collector that rarely looks."""

import gc
import sys
from typing import Final

_YOUNG: Final = 50_000  # objects made before the collector looks; its default is tuned for small heaps
_OLD: Final = 100


def settle() -> None:
    """Call it once the modules are loaded, before the work begins.

    Batches are many short-lived objects beside a large state that never becomes garbage: by default the collector walks
    that state again and again (a sixth of a worker's time, in a profile). Batches of a few slates are too small to be
    shared among threads, and a worker has one core.
    """
    torch = sys.modules.get("torch")  # an agent that doesn't choose doesn't load it
    if torch is not None:
        torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, _OLD)
