"""What came lately, in bounded memory: a mapping that forgets its oldest entries."""

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The last `size` entries put, by key."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[str, Value] = OrderedDict()

    def put(self, key: str, value: Value) -> bool:
        """Keep the value; False where the key was here already, and stays as it is."""
        if key in self._kept:
            return False
        self._kept[key] = value
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return True

    def take(self, key: str) -> Value | None:
        return self._kept.pop(key, None)
