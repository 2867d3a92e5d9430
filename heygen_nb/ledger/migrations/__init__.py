"""Alembic's migrations, one file a step from version 0.1 on; ``HEAD`` is the newest.

It is said here as well so that opening an up-to-date ledger need not load Alembic.
"""

OLDEST, HEAD = "0004", "0008"
