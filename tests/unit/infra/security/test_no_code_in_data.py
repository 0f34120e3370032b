"""Nothing that is read can become code: no pickle in any of its guises, no eval, no shell. Read off the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
ROOMS = ("streams", "policies", "agents", "infra", "scripts")
MODULES = {"pickle", "cPickle", "_pickle", "shelve", "marshal", "dill", "cloudpickle", "joblib", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "__import__", "torch.load", "numpy.load", "np.load", "os.system", "os.popen"}
YAML = {"load", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"}


def product() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def offences(tree: ast.AST) -> Iterator[str]:
    """What must not be there, by the name it has in the source."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names if one.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module), names=names):
                if module.split(".")[0] in MODULES:
                    yield module
                yield from (f"{module}.{one.name}" for one in names if f"{module}.{one.name}" in CALLS)
            case ast.Call():
                yield from _called(node)
            case _:
                pass


def _called(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    given = {one.arg: ast.unparse(one.value) for one in node.keywords}
    if name in CALLS and given.get("allow_pickle") != "False":
        yield name
    if name.rpartition(".")[0] == "yaml" and name.rpartition(".")[2] in YAML:
        yield name
    if given.get("shell", "False") != "False":
        yield f"{name}(shell=…)"
    if given.get("allow_pickle", "False") != "False":
        yield f"{name}(allow_pickle=…)"


def test_no_product_file_has_any_of_it() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {what}"
        for path in product()
        for what in offences(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()
    assert len(product()) > 200


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib.memory",
        "import torch\ntorch.load('x', weights_only=True)",
        "from torch import load",
        "eval('1')",
        "exec('1')",
        "import yaml\nyaml.load(x, Loader=yaml.Loader)",
        "import subprocess\nsubprocess.run(x, shell=True)",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "np.load('x')",
    ],
)
def test_each_of_them_would_be_found(source: str) -> None:
    assert list(offences(ast.parse(source)))
