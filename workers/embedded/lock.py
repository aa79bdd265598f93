"""Write neo4j.lock again, after a change of the versions: `python -m workers.embedded.lock`."""

from __future__ import annotations

import logging
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from workers.embedded.jars import LOCK_FILE, ROOTS, Jar, download, sha256_of

_log = logging.getLogger(__name__)


def resolve() -> list[Jar]:
    """The dependencies of the roots by their POMs, with the checksums of the files on Maven Central today."""
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository), timeout=60)
        roots = [context.create_dependency(root) for root in ROOTS]
        for root in roots:
            root.raw = True  # as Maven: the dependencyManagement of one root doesn't apply to another
        inputs, transitive = context.resolver.resolve(roots)
        coordinates = sorted(
            ":".join(filter(None, (each.groupId, each.artifactId, each.version, each.classifier)))
            for each in (*inputs, *transitive)
        )
        with ThreadPoolExecutor(12) as pool:
            sums = pool.map(lambda coordinate: sha256_of(download(context, coordinate)), coordinates)
            jars = [
                Jar(coordinate=coordinate, sha256=sha256) for coordinate, sha256 in zip(coordinates, sums, strict=True)
            ]
    names = {jar.file_name for jar in jars}
    if len(names) != len(jars):
        raise ValueError("two artifacts share a file name: the cache needs a folder per group")
    return jars


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    jars = resolve()
    header = f"# {', '.join(ROOTS)} and what they need.\n# Written by: python -m workers.embedded.lock\n"
    LOCK_FILE.write_text(header + "".join(f"{jar}\n" for jar in jars))
    _log.info("%s: %d jars", LOCK_FILE, len(jars))


if __name__ == "__main__":
    main()
