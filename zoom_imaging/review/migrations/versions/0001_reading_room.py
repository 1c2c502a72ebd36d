"""The reading room: accounts, cases, readings, signatures and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.String(27)
_SHA256 = sa.String(64)
_LIVE = sa.text("state != 'void'")
_LIVE_PRIMARY = sa.text("state != 'void' AND purpose = 'primary'")
_LIVE_ADJUDICATION = sa.text("state != 'void' AND purpose = 'adjudication'")


def upgrade() -> None:
    """Make every table; the audit trail refuses to be changed by the database's own means."""
    op.create_table(
        "trial",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("charter", sa.Text, nullable=False),
        sa.Column("charter_sha256", _SHA256, nullable=False),
        sa.Column("model_name", sa.String(128), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("model_sha256", _SHA256, nullable=False),
        sa.Column("locked_at", _MOMENT),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("full_name", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(256), nullable=False),
        sa.Column("password_is_temporary", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "web_session",
        sa.Column("token_sha256", _SHA256, primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "failed_login",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_index("failed_login_recent", "failed_login", ["name", "at"])
    op.create_table(
        "reading_case",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subject_id", sa.String(256), nullable=False, unique=True),
        sa.Column("film_count", sa.Integer, nullable=False),
        sa.Column("flagged", sa.Text, nullable=False),
        sa.Column("differences", sa.Text),
        sa.Column("locked_at", _MOMENT),
        # Long texts last: SQLite walks through a column to reach the next.
        sa.Column("pending_flagged", sa.Text),
        sa.Column("pending_films", sa.Text),
        sa.Column("films", sa.Text, nullable=False),
    )
    op.create_table(
        "reading",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(16), nullable=False, unique=True),
        sa.Column("case_id", sa.Integer, sa.ForeignKey("reading_case.id"), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("baseline_side", sa.String(1), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("signed_at", _MOMENT),
        sa.Column("unaided", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
    )
    for name, columns, where in (
        ("one_reading_a_person", ["case_id", "account_id", "purpose"], _LIVE),
        ("one_reading_a_slot", ["case_id", "slot"], _LIVE_PRIMARY),
        ("one_adjudication_a_case", ["case_id"], _LIVE_ADJUDICATION),
    ):
        op.create_index(
            name, "reading", columns, unique=True, sqlite_where=where, postgresql_where=where
        )
    op.create_table(
        "signature",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("object", sa.String(300), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("printed_name", sa.String(128), nullable=False),
        sa.Column("meaning", sa.String(200), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("content_sha256", _SHA256, nullable=False),
        sa.Column("withdrawn_at", _MOMENT),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("object", sa.String(300), nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("software", sa.String(64), nullable=False),
        sa.Column("model_sha256", _SHA256, nullable=False),
        sa.Column("states", sa.Text, nullable=False),
        sa.Column("previous_sha256", _SHA256, nullable=False),
        sa.Column("sha256", _SHA256, nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("sha256", _SHA256, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "sha256": "0" * 64}])
    _append_only()


def _append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
