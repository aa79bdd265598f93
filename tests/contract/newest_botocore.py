"""What the newest botocore says otherwise of the AWS calls that the declarations make than the pinned one.

    python -m tests.contract.newest_botocore            the newest release that pip finds
    python -m tests.contract.newest_botocore 1.43.0     this one

It is installed into a folder of its own, and only its models are read. Ends with 1 where a declaration would break: a
call, a parameter or a path that is gone, a page that is found otherwise.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import botocore
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from tasks.aws.client import paging
from tasks.aws.client.paging import Paging
from tasks.engine import registry
from tasks.engine.listing import Listing
from tasks.resource import ResourceType
from tests.contract import shapes
from tests.contract.providers.aws import BotocoreModel
from tests.contract.samples import pages, sample
from tests.contract.shapes import NotInModel


class Models:
    """The models in a folder of botocore's data."""

    def __init__(self, data: Path) -> None:
        self._loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)

    @cache  # noqa: B019  # there is one, for as long as the program runs
    def service(self, name: str) -> ServiceModel:
        try:
            return ServiceModel(self._loader.load_service_model(name, "service-2"), name)
        except UnknownServiceError:
            raise NotInModel(f"there is no service {name}") from None

    def operation(self, action: str) -> OperationModel:
        service, name = action.split(":")
        model = self.service(service)
        if name not in model.operation_names:
            raise NotInModel(f"there is no {action}")
        found: OperationModel = model.operation_model(name)
        return found

    @cache  # noqa: B019
    def paging(self, action: str) -> Paging | None:
        service, name = action.split(":")
        try:
            known: Mapping[str, Any] = self._loader.load_service_model(service, "paginators-1")["pagination"]
        except UnknownServiceError:
            known = {}
        return paging.by_model(self.operation(action), known.get(name))

    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        if fetch.items_path is not None:
            return (fetch.items_path,) if fetch.items_path else ()
        found = self.paging(fetch.action)
        if found is None:
            raise NotInModel(f"{fetch.action} doesn't page any more: the declaration must say items_path=")
        return found.results


def broken(types: Iterable[ResourceType], newest: Models) -> Iterator[str]:
    """What the declarations need, and is no longer so."""
    types, gone = list(types), set[str]()
    for action in _calls(types):
        try:
            now = newest.operation(action)
        except NotInModel as error:
            gone.add(action)
            yield str(error)
            continue
        before = BotocoreModel().operation(action)
        yield from _lost_parameters(action, before, now)
        was, found = paging.paging(action), newest.paging(action)
        if found != was and not _only_gained(was, found):
            yield f"{action} pages otherwise: {found}, and not {was}"
    for type_ in types:
        if gone.intersection(type_.fetch.calls):
            continue
        if isinstance(type_.fetch, Listing):
            yield from shapes.wrong_paths(type_, newest)
        for action, responses in sample(type_).items():
            for page in pages(responses):
                yield from shapes.violations(
                    cast(Shape, newest.operation(action).output_shape), page, f"{type_.name}: {action}"
                )


def changed(types: Iterable[ResourceType], newest: Models) -> Iterator[str]:
    """What is new about their calls, and breaks nothing."""
    for action in _calls(types):
        before, now = BotocoreModel().operation(action), newest.operation(action)
        if now.deprecated and not before.deprecated:
            yield f"{action} is deprecated"
        if newest.paging(action) != paging.paging(action):
            yield f"{action} has a paginator: {newest.paging(action)}"
        said = (("parameter", before.input_shape, now.input_shape), ("member", before.output_shape, now.output_shape))
        for kind, old, new in said:
            known, there = dict(_members(old)), dict(_members(new))
            yield from (f"{action}: new {kind} {path}" for path in there if path not in known)
            yield from (f"{action}: {kind} {path} is gone" for path in known if path not in there)
            old_marks = {path for path, is_deprecated in known.items() if is_deprecated}
            yield from (
                f"{action}: {kind} {path} is deprecated"
                for path, is_deprecated in there.items()
                if is_deprecated and path not in old_marks
            )


def _calls(types: Iterable[ResourceType]) -> list[str]:
    return sorted({action for type_ in types for action in type_.fetch.calls})


def _lost_parameters(action: str, before: OperationModel, now: OperationModel) -> Iterator[str]:
    old, new = before.input_shape, now.input_shape
    if new is None:
        return
    known = set(old.required_members) if old else set()
    yield from (f"{action} now requires {name}" for name in new.required_members if name not in known)


def _only_gained(was: Paging | None, found: Paging | None) -> bool:
    """The same tokens and items, from a paginator where it was derived; or pages where there were none."""
    if was is None or found is None:
        return was is None
    return (was.inputs, was.outputs, was.results) == (found.inputs, found.outputs, found.results)


def _members(shape: Shape | None, path: str = "", within: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """Every path of a shape, and whether it is marked as deprecated; what holds itself is gone through once."""
    if isinstance(shape, ListShape):
        yield from _members(shape.member, f"{path}[]", within)
    if not isinstance(shape, StructureShape) or shape.name in within:
        return
    for name, member in shape.members.items():
        where = f"{path}.{name}" if path else name
        yield where, bool(cast(Any, member)._shape_model.get("deprecated"))
        yield from _members(member, where, (*within, shape.name))


def main(version: str | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"botocore=={version}" if version else "botocore"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--target", folder, wanted], check=True)
        [installed] = Path(folder).glob("botocore-*.dist-info")
        newest = Models(Path(folder, "botocore", "data"))
        print(f"botocore {installed.name.split('-')[1].removesuffix('.dist')} against {botocore.__version__}")
        types = registry.of("aws")
        faults = list(dict.fromkeys(broken(types, newest)))
        for line in faults:
            print(f"BROKEN  {line}")
        if not faults:
            for line in changed(types, newest):
                print(f"changed {line}")
        return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
