"""A document of OpenGraph, written element by element: neither its nodes nor its edges are ever held together.

Edges wait in a temporary file until the nodes are written. A file appears under its name when it is complete.
https://bloodhound.specterops.io/opengraph/developer/graph-data
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from loaders.errors import ChartfleetError

STANDARD_OUTPUT: Final = "-"


@dataclass(frozen=True, slots=True)
class Written:
    nodes: int
    edges: int


def write(file: str, source_kind: str, elements: Iterable[Mapping[str, Any]]) -> Written:
    """`file`: its name, or `-` for standard output. Raises ChartfleetError if it can't be written."""
    if file == STANDARD_OUTPUT:
        return _write(sys.stdout, None, source_kind, elements)
    with _replacing(Path(file)) as out:
        return _write(out, Path(file).absolute().parent, source_kind, elements)


def _write(out: TextIO, spool: Path | None, source_kind: str, elements: Iterable[Mapping[str, Any]]) -> Written:
    """`spool`: the directory of the temporary file, which has room for a document; None: the system's."""
    nodes = edges = 0
    with tempfile.TemporaryFile("w+", encoding="utf-8", dir=spool) as waiting:
        out.write(f'{{"metadata": {json.dumps({"source_kind": source_kind})},\n"graph": {{"nodes": [')
        for element in elements:
            if "kinds" in element:
                out.write(f"{',' if nodes else ''}\n{json.dumps(element)}")
                nodes += 1
            else:
                waiting.write(f"{',' if edges else ''}\n{json.dumps(element)}")
                edges += 1
        out.write('\n],\n"edges": [')
        waiting.seek(0)
        shutil.copyfileobj(waiting, out)
        out.write("\n]}}\n")
    return Written(nodes, edges)


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    """A file beside it, which takes its name at the end; if that isn't reached, nothing is left."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.absolute().parent)
        try:
            with open(handle, "w", encoding="utf-8") as out:
                yield out
            os.replace(name, file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ChartfleetError(f"--opengraph: {file}: can't be written: {error.strerror}; name another file") from None
