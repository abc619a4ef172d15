"""What must be there before the settings are read: folders, and the demo's secrets and database server.

Importing the settings does none of this, so that a type checker or an editor may read them. Whoever runs the project
calls `prepare` first: manage.py, the WSGI callable and the test run.
"""

import os

from portal import environment


def prepare() -> None:
    """Make the folder of static files and, for the demo, its secrets and its PostgreSQL server.

    The server's address becomes DATABASE_URL of this process and of those that it starts. Raises OSError or
    subprocess.SubprocessError when the server cannot start; its log lies beside its data.
    """
    environment.static_root().mkdir(parents=True, exist_ok=True)  # without it WhiteNoise warns
    if environment.is_production():
        return
    from portal.demo import identity  # a production server has no use for it

    identity.keep()
    if not environment.text("DATABASE_URL"):
        from portal.demo import postgres  # loads the wheel of PostgreSQL

        os.environ["DATABASE_URL"] = postgres.database_url(environment.data_dir())
