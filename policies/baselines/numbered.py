"""Items by number, in the order in which they came up: what a rule keeps in arrays."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(slots=True)
class Numbered:
    """`names` by number. A name that is read for the first time gets the next one."""

    names: list[str] = field(default_factory=list[str])
    _number: dict[str, int] = field(default_factory=dict[str, int])

    def read(self, names: list[str]) -> npt.NDArray[np.int64]:
        """The numbers of these names: [n]."""
        for name in names:
            if name not in self._number:
                self._number[name] = len(self.names)
                self.names.append(name)
        return self.find(names)

    def find(self, names: list[str]) -> npt.NDArray[np.int64]:
        """The numbers of those names that have one."""
        return np.array([self._number[name] for name in names if name in self._number], dtype=np.int64)
