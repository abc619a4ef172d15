"""PostgreSQL servers by the distribution's programs, which have more than the embedded one: a place and a standby."""

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from drills.site import CannotRun

USER = "postgres"  # who runs the server where we are root, whom it refuses


def programs() -> Path:
    """Return the folder of the newest version. Raises CannotRun where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise CannotRun("no PostgreSQL of the distribution is installed here")
    return found[-1].parent


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder of the server's user."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        give(place)
        yield place


def give(path: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, USER, pwd.getpwnam(USER).pw_gid)


@dataclass
class Cluster:
    """A server: where its data lie, where its log does, and the port at which it listens."""

    data: Path
    log: Path
    port: int

    @property
    def conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=clientdesk dbname=postgres"

    @property
    def url(self) -> str:
        return f"postgresql://clientdesk@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str, check: bool = True) -> int:
        command = [str(programs() / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", USER, "--", *command]
        with self.log.with_suffix(".programs").open("a") as said:
            return subprocess.run(command, cwd="/", stdout=said, stderr=said, check=check).returncode

    def create(self, *arguments: str) -> None:
        self.run("initdb", "-D", str(self.data), "-U", "clientdesk", "-A", "trust", *arguments)

    def copy(self, primary: "Cluster") -> None:
        """Become the standby of another server, by streaming."""
        source = f"host=127.0.0.1 port={primary.port} user=clientdesk application_name=standby"
        self.run("pg_basebackup", "-D", str(self.data), "-R", "-X", "stream", "--checkpoint=fast", "-d", source)

    def start(self, settings: Sequence[str] = (), check: bool = True) -> int:
        named = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=''", *settings]
        options = " ".join(f"-c {setting}" for setting in named)
        return self.run(
            "pg_ctl", "start", "-w", "-t", "60", "-D", str(self.data), "-l", str(self.log), "-o", options, check=check
        )

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "-m", "immediate", "-D", str(self.data), check=False)

    def promote(self) -> None:
        self.run("pg_ctl", "promote", "-w", "-D", str(self.data))

    def kill(self) -> None:
        """Kill every process of it at once (SIGKILL), as when its machine is lost."""
        postmaster = self.postmaster()
        assert postmaster is not None
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=10)

    def postmaster(self) -> psutil.Process | None:
        with suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        return None

    @contextmanager
    def kept_running(self, settings: Sequence[str] = ()) -> Iterator[list[float]]:
        """Start it now and whenever it has ended, as a service manager does; yield the times of the latter."""
        self.start(settings)
        ended, again = threading.Event(), list[float]()

        def watch() -> None:
            while not ended.wait(0.5):
                if self.postmaster() is None:
                    again.append(time.monotonic())
                    self.start(settings, check=False)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield again
        finally:
            ended.set()
            watcher.join()
            self.stop()

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()


@contextmanager
def running(cluster: Cluster, settings: Sequence[str] = ()) -> Iterator[Cluster]:
    cluster.start(settings)
    try:
        yield cluster
    finally:
        cluster.stop()
