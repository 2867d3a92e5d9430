"""Drafts from files, and from tables with a template."""

from heygen_nb.drafts.checks import FIELDS, MAX_SCRIPT_CHARS, check_draft
from heygen_nb.drafts.files import read_drafts
from heygen_nb.drafts.filling import Filled, drafts_from, fill, repeated_text
from heygen_nb.drafts.tables import Table, read_table, table_of
from heygen_nb.drafts.template import DraftTemplate

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
