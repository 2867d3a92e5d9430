"""Alembic's migrations, one file a step; ``HEAD`` is the newest.

It is said here as well so that opening an up-to-date ledger need not load Alembic.
"""

HEAD = "0006"
