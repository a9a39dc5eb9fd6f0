"""Customers and their devices, the review desk, accounts, exports, and deletions as orders; whose each clip is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sim.cloud.customers import number_of, serial_of
from sim.cloud.moment import begun

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, and say of each clip whose it is and when it began."""
    _customers()
    _review()
    _accounts()
    _deletions()
    op.add_column("clips", sa.Column("customer", sa.String, nullable=False, server_default=""))
    op.add_column("clips", sa.Column("utc", sa.String, nullable=False, server_default=""))
    op.drop_index("ix_clips_device", "clips")
    op.create_index("ix_clips_device_id", "clips", ["device", "id"])
    op.create_index("ix_clips_customer_utc", "clips", ["customer", "utc", "id"])
    _date()


def _customers() -> None:
    op.create_table(
        "customers",
        sa.Column("number", sa.String, primary_key=True),
        sa.Column("first_name", sa.String, nullable=False),
        sa.Column("choice", sa.String),
        sa.Column("keep_days", sa.Integer),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        sa.Column("key", sa.String),
    )
    op.create_table(
        "devices",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("customer", sa.String, sa.ForeignKey("customers.number"), nullable=False, index=True),
        sa.Column("serial", sa.String, nullable=False),
    )


def _review() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("clip", sa.String, nullable=False, index=True),
        sa.Column("copy", sa.Integer, nullable=False),
        sa.Column("policy", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("chance", sa.Double, nullable=False),
        sa.Column("queue", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("annotator", sa.String, index=True),
        sa.Column("taken_until", sa.String),
        sa.UniqueConstraint("clip", "copy", "policy"),
    )
    op.create_index("ix_tasks_state_queue", "tasks", ["state", "queue", "id"])
    op.create_table(
        "annotations",
        sa.Column("task", sa.String, sa.ForeignKey("tasks.id"), primary_key=True),
        sa.Column("clip", sa.String, nullable=False, index=True),
        sa.Column("annotator", sa.String, nullable=False, index=True),
        sa.Column("utc", sa.String, nullable=False),
        sa.Column("transcript", sa.String, nullable=False),
        sa.Column("addressed", sa.Boolean),
        sa.Column("wake_word", sa.Boolean),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("speakers", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("listens", sa.Integer, nullable=False),
    )
    op.create_table(
        "escalations",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("task", sa.String, nullable=False),
        sa.Column("clip", sa.String, nullable=False, index=True),
        sa.Column("annotator", sa.String, nullable=False),
        sa.Column("utc", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("procedure", sa.String, nullable=False),
        sa.Column("assignee", sa.String),
        sa.Column("deadline", sa.String),
        sa.Column("state", sa.String, nullable=False, index=True),
        sa.Column("resolved_utc", sa.String),
        sa.Column("note", sa.String, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("utc", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("clip", sa.String, index=True),
        sa.Column("customer", sa.String),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("before", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("signature", sa.String, nullable=False),
    )
    op.create_table(
        "exports",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("utc", sa.String, nullable=False),
        sa.Column("licence", sa.String, nullable=False),
        sa.Column("consent", sa.String, nullable=False),
    )
    op.create_table(
        "export_files",
        sa.Column("export", sa.String, sa.ForeignKey("exports.id"), primary_key=True),
        sa.Column("file", sa.String, primary_key=True),
        sa.Column("clip", sa.String, nullable=False, index=True),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("customer", sa.String, sa.ForeignKey("customers.number"), index=True),
        sa.Column("password", sa.String, nullable=False),
        sa.Column("totp", sa.String),
        sa.Column("step", sa.BigInteger),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.String, primary_key=True),
        sa.Column("account", sa.String, sa.ForeignKey("accounts.name"), nullable=False, index=True),
        sa.Column("begun", sa.String, nullable=False),
        sa.Column("seen", sa.String, nullable=False),
        sa.Column("ends", sa.String, nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("since", sa.String, nullable=False),
    )


def _deletions() -> None:
    op.add_column("deleted", sa.Column("spool", sa.String, nullable=False, server_default=""))
    op.create_index("ix_deleted_spool", "deleted", ["spool"])
    op.create_index("ix_deleted_asked", "deleted", ["asked"])
    op.create_table(
        "deletions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("customer", sa.String, nullable=False, index=True),
        sa.Column("scope", sa.String, nullable=False),
        sa.Column("utc", sa.String, nullable=False),
        sa.Column("clips", sa.JSON, nullable=False),
        sa.Column("reaches", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False, index=True),
        sa.Column("keys", sa.JSON, nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False, index=True),
    )
    op.create_table(
        "deletion_places",
        sa.Column("deletion", sa.String, sa.ForeignKey("deletions.id"), primary_key=True),
        sa.Column("place", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("utc", sa.String, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("why", sa.String, nullable=False),
    )
    op.create_table(
        "spans",
        sa.Column("deletion", sa.String, sa.ForeignKey("deletions.id"), primary_key=True),
        sa.Column("device", sa.String, primary_key=True, index=True),
        sa.Column("begin", sa.String, nullable=False),
        sa.Column("end", sa.String, nullable=False),
        sa.Column("what", sa.JSON, nullable=False),
    )


def _date() -> None:
    connection = op.get_bind()
    clips = sa.table("clips", *(sa.column(name) for name in ("id", "device", "customer", "utc")))
    parts = sa.table("parts", *(sa.column(name) for name in ("clip", "number", "begin")), sa.column("facts", sa.JSON))
    devices = connection.scalars(sa.select(clips.c.device).distinct()).all()
    new = [{"name": name, "number": number_of(name), "serial": serial_of(name)} for name in devices]
    if new:
        connection.execute(sa.text("INSERT INTO customers (number, first_name) VALUES (:number, '')"), new)
        connection.execute(
            sa.text("INSERT INTO devices (name, customer, serial) VALUES (:name, :number, :serial)"), new
        )
    opening = sa.and_(parts.c.clip == clips.c.id, parts.c.number == 0)
    rows = connection.execute(
        sa.select(clips.c.id, clips.c.device, parts.c.begin, parts.c.facts).join_from(
            clips, parts, opening, isouter=True
        )
    )
    told = [
        {"clip": clip, "of": number_of(device), "at": begun(clip, facts or {}, begin or 0)}
        for clip, device, begin, facts in rows
    ]
    if told:
        # Their sound lies open until `sim.cloud.store` has closed it.
        connection.execute(sa.text("INSERT INTO counters (name, value) VALUES ('open files', 1)"))
        change = clips.update().where(clips.c.id == sa.bindparam("clip"))
        connection.execute(change.values(customer=sa.bindparam("of"), utc=sa.bindparam("at")), told)
