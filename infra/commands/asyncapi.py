"""`tradewind asyncapi`: the contract of all topics as one document, and what it breaks of an earlier one."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from infra.errors import UserError

app: Final = typer.Typer(add_completion=False)

_LARGEST: Final = 16_000_000  # bytes of an earlier document

Out = Annotated[Path | None, typer.Option(help="Write it there: FILE.yaml or FILE.json.", show_default="YAML, printed")]
Against = Annotated[
    Path | None, typer.Option(help="Compare with an earlier document (JSON), and exit 1 where readers would break.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the document as JSON.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def asyncapi(*, out: Out = None, against: Against = None, as_json: AsJson = False, prefix: Prefix = None) -> None:
    """Write the contract as an AsyncAPI 3 document: topics, keys, headers, JSON Schemas and examples.

    It is made from the record types and the settings, so that the topics have the names that they have on your cluster.

    Examples: `tradewind asyncapi --out contract.yaml`, `tradewind asyncapi --against before.json`.
    """
    from infra import settings
    from infra.contract.document import document
    from infra.contract.snapshot import broken_since
    from infra.contract.yaml import dump

    made = document(settings.load(prefix=prefix), version("tradewind"))
    if against is not None:
        _tell(broken_since(_earlier(against), made), as_json=as_json)
        return
    wants_json = as_json or (out is not None and out.suffix == ".json")
    text = orjson.dumps(made, option=orjson.OPT_INDENT_2).decode() + "\n" if wants_json else dump(made)
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--out: {out} can't be written: {error.strerror or error}") from error
    print(f"{out}: {len(made['channels'])} topics", file=sys.stderr)


def _tell(broken: list[str], *, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps({"ok": not broken, "breaking": broken}).decode())
    else:
        print("\n".join(broken) or "Nothing breaks.")
    if broken:
        raise typer.Exit(1)


def _earlier(path: Path) -> dict[str, Any]:
    from infra.limited import content

    try:
        found: Any = orjson.loads(content(path, _LARGEST, "a document"))
        whole = bool(found["channels"] and found["components"]["schemas"])
    except UserError as error:
        raise UserError(f"--against: {error}") from error
    except (ValueError, KeyError, TypeError):
        found, whole = {}, False
    if not whole:
        raise UserError(f"--against: {path} is no document of `tradewind asyncapi --json`: name one that it wrote")
    return found
