"""Version 0.1: the oldest ledger that is brought up to date. New ones begin at HEAD."""

revision = "0004"
down_revision = None


def upgrade() -> None:
    """Nothing to do: version 0.1 made these tables."""
