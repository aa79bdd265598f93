"""The jars of Neo4j: pinned in neo4j.lock with checksums, fetched once from Maven Central into the user's cache."""

from __future__ import annotations

import hashlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from loaders.trusted_file import distrust_directory
from workers.embedded.errors import EmbeddedError
from workers.embedded.flock import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jgo.maven import MavenContext

LOCK_FILE: Final = Path(__file__).parents[1] / "neo4j.lock"
VERSION: Final = "5.26.30"
ROOTS: Final = (
    f"org.neo4j:neo4j:{VERSION}",
    f"org.neo4j.app:neo4j-server:{VERSION}",
    "org.neo4j.client:neo4j-browser:5.15.0",
)
_IN_FLIGHT: Final = 12  # most jars are small: latency dominates


@dataclass(frozen=True, kw_only=True, order=True)
class Jar:
    """One artifact: `group:artifact:version`, then its classifier if it has one, and the SHA-256 of its file."""

    coordinate: str
    sha256: str

    @classmethod
    def from_line(cls, line: str) -> Jar:
        sha256, coordinate = line.split()
        return cls(coordinate=coordinate, sha256=sha256)

    def __str__(self) -> str:
        return f"{self.sha256}  {self.coordinate}"

    @property
    def file_name(self) -> str:
        return "-".join(self.coordinate.split(":")[1:]) + ".jar"


def locked(lock_file: Path = LOCK_FILE) -> list[Jar]:
    return [Jar.from_line(line) for line in lock_file.read_text().splitlines() if line and not line.startswith("#")]


def fetched(say: Callable[[str], None], jars: Iterable[Jar] | None = None, cache: Path | None = None) -> list[Path]:
    """The files of the locked jars, with the checksums of the lock file. What the cache lacks is fetched."""
    jars = locked() if jars is None else list(jars)
    cache = cache or platformdirs.user_cache_path("chartfleet") / "neo4j"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    if problem := distrust_directory(cache):
        raise EmbeddedError(f"The cache of Neo4j's jars, {cache}: {problem}")
    if _missing(jars, cache):
        with exclusive(cache / ".lock"):
            if missing := _missing(jars, cache):  # none if another process was first
                _fetch(missing, cache, say)
    return [cache / jar.file_name for jar in jars]


def download(context: MavenContext, coordinate: str, tries: int = 3) -> Path:
    """Fetch one jar into the context's repository; retried when the connection fails."""
    group, name, version, *classifier = coordinate.split(":")
    artifact = context.project(group, name).at_version(version).artifact(*classifier)
    try:
        return artifact.resolve()
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; RuntimeError is any status but 200
        if tries == 1:
            raise EmbeddedError(f"Could not fetch {coordinate} from Maven Central: {error}") from error
        if artifact.cached_path:
            artifact.cached_path.unlink(missing_ok=True)  # may be incomplete
    time.sleep(1)
    return download(context, coordinate, tries - 1)


def sha256_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _missing(jars: Iterable[Jar], cache: Path) -> list[Jar]:
    """The jars that the cache lacks or holds with another checksum. Checking all of them takes 0.1 s."""
    files = ((jar, cache / jar.file_name) for jar in jars)
    return [jar for jar, file in files if not file.exists() or sha256_of(file) != jar.sha256]


def _fetch(jars: list[Jar], cache: Path, say: Callable[[str], None]) -> None:
    from jgo.maven import MavenContext

    incoming = cache / ".incoming"
    shutil.rmtree(incoming, ignore_errors=True)  # left by a process that was killed
    context = MavenContext(repo_cache=incoming, timeout=60)

    def fetch(jar: Jar) -> None:
        file = download(context, jar.coordinate)
        if (found := sha256_of(file)) != jar.sha256:
            raise EmbeddedError(
                f"{jar.coordinate} is not the file that was locked: SHA-256 {found}, expected {jar.sha256}"
            )
        file.replace(cache / jar.file_name)  # a jar has its final name only when it is complete

    say(f"Fetching Neo4j {VERSION} from Maven Central, once: {len(jars)} jars")
    pool = ThreadPoolExecutor(_IN_FLIGHT)
    try:
        for done, fetching in enumerate(as_completed([pool.submit(fetch, jar) for jar in jars]), start=1):
            fetching.result()
            if done % 50 == 0:
                say(f"Fetched {done} of {len(jars)} jars")
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(incoming, ignore_errors=True)
