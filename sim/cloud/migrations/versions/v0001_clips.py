"""The tables as they were before there were customers; those that a store lacks are made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make what is missing."""
    op.create_table(
        "clips",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_clips_device", "clips", ["device"], if_not_exists=True)
    op.create_table(
        "parts",
        sa.Column("clip", sa.String, sa.ForeignKey("clips.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("last", sa.Boolean, nullable=False),
        sa.Column("begin", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("sealed", sa.String, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "turns",
        sa.Column("clip", sa.String, sa.ForeignKey("clips.id"), primary_key=True),
        sa.Column("owner", sa.String),
        sa.Column("beat", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "transcripts",
        sa.Column("clip", sa.String, sa.ForeignKey("clips.id"), primary_key=True),
        sa.Column("recognizer", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "households",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("claims", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "situations",
        sa.Column("device", sa.String, primary_key=True),
        sa.Column("situation", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("clip", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("begin", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("because", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_messages_device", "messages", ["device"], if_not_exists=True)
    op.create_index("ix_messages_clip", "messages", ["clip"], if_not_exists=True)
    op.create_table(
        "deleted",
        sa.Column("clip", sa.String, primary_key=True),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("asked", sa.String, nullable=False),
        sa.Column("what", sa.JSON, nullable=False),
        sa.Column("swept", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_deleted_swept", "deleted", ["swept"], if_not_exists=True)
