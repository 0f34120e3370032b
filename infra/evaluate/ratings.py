"""A CSV of ratings, gzip or not: columns user, item, rating and timestamp in any order, in order of time when read."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from math import isfinite
from pathlib import Path
from typing import Final

import numpy as np

from infra.errors import UserError
from infra.evaluate.opened import UNREADABLE, opened, why
from policies.ratings.table import Ratings

COLUMNS: Final = ("user", "item", "rating", "timestamp")


def read(path: Path) -> Ratings:
    """All ratings, oldest first, those of the same moment as in the file; users and items numbered as they come."""
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    rows: list[tuple[int, int, float, float]] = []
    try:
        with opened(path) as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
            for user, item, rating, at in _rows(path, file):
                rows.append((users.setdefault(user, len(users)), items.setdefault(item, len(items)), rating, at))
    except UNREADABLE as error:
        raise UserError(f"--ratings {path}: {why(error)}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"--ratings {path}: not UTF-8 text") from error
    if not rows:
        raise UserError(f"--ratings {path}: there are no ratings in it")
    rows.sort(key=lambda row: row[3])
    user, item, rating, _ = zip(*rows, strict=True)
    return Ratings(
        user=np.array(user, dtype=np.int64),
        item=np.array(item, dtype=np.int64),
        rating=np.array(rating, dtype=np.float64),
    )


def _rows(path: Path, file: Iterator[str]) -> Iterator[tuple[str, str, float, float]]:
    reader = csv.reader(file)
    try:
        header = [name.strip().lower() for name in next(reader, list[str]())]
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise UserError(f"--ratings {path}, line 1: no column named {', '.join(missing)}")
        places = [header.index(name) for name in COLUMNS]
        for row in reader:
            if not any(row):
                continue
            where = f"--ratings {path}, line {reader.line_num}"
            if len(row) <= max(places):
                raise UserError(f"{where}: {len(row)} fields where the header has {len(header)}")
            user, item, rating, at = (row[place].strip() for place in places)
            if not user or not item:
                raise UserError(f"{where}: no {'user' if not user else 'item'}")
            yield user, item, _number(rating, "rating", where), _number(at, "timestamp", where)
    except csv.Error as error:
        raise UserError(f"--ratings {path}, line {reader.line_num}: {error}") from error


def _number(text: str, name: str, where: str) -> float:
    try:
        found = float(text)
    except ValueError:
        raise UserError(f"{where}: the {name} {text[:40]!r} is not a number") from None
    if not isfinite(found) or abs(found) > 1e100:
        raise UserError(f"{where}: the {name} {text[:40]!r} is not a finite number")
    return found
