"""Takes a database from the tables of an earlier version to those of this one. The only files that know alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from sim.cloud.schema import Base
from sim.errors import StoreError

NEWEST = "0002"
"""The version of the tables as `sim.cloud.schema` has them."""

_TABLE = "alembic_version"
_MADE = (
    text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"),
    text(f"INSERT INTO alembic_version (version_num) VALUES ('{NEWEST}')"),
)
_VERSION = text("SELECT version_num FROM alembic_version")


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables where there are none, and migrate older ones, within a transaction.

    Raises StoreError where they are of a version that this program does not know.
    """
    there = set(inspect(connection).get_table_names())
    if not there & {*Base.metadata.tables, _TABLE}:
        Base.metadata.create_all(connection)
        for statement in _MADE:
            connection.execute(statement)
        return
    version = connection.execute(_VERSION).scalar() if _TABLE in there else None
    if version != NEWEST:
        _migrate(connection, version)


def _migrate(connection: Connection, version: str | None) -> None:
    # Late, because hardly ever is there anything to do.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(__file__).parent))
    known = {script.revision for script in scripts.walk_revisions()}
    if version is not None and version not in known:
        raise StoreError(
            f"the store is of version {version[:40]!r}, which this program does not know; use a newer misheard with it"
        )
    environment = EnvironmentContext(
        Config(), scripts, fn=lambda current, _context: scripts._upgrade_revs("head", current)
    )
    with environment:
        environment.configure(connection, target_metadata=Base.metadata, transactional_ddl=True)
        with environment.begin_transaction():
            environment.run_migrations()
