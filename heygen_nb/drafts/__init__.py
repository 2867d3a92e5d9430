"""Drafts from files, and from tables with a template."""

from heygen_nb.drafts.fields import FIELDS
from heygen_nb.drafts.read import read_drafts
from heygen_nb.drafts.spoken import MAX_SCRIPT_CHARS, check_draft
from heygen_nb.drafts.table import Table, read_table, table_of
from heygen_nb.drafts.template import (
    DraftTemplate,
    Filled,
    drafts_from,
    fill,
    repeated_text,
)

__all__ = [
    "FIELDS",
    "MAX_SCRIPT_CHARS",
    "DraftTemplate",
    "Filled",
    "Table",
    "check_draft",
    "drafts_from",
    "fill",
    "read_drafts",
    "read_table",
    "repeated_text",
    "table_of",
]
