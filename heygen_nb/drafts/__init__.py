"""Drafts from files, and from tables with a template."""

from heygen_nb.drafts.fields import FIELDS, OVERRULES, label, write_draft
from heygen_nb.drafts.read import drafts_in, read_drafts
from heygen_nb.drafts.spoken import (
    MAX_SCRIPT_CHARS,
    Speakable,
    check_draft,
    left_out_text,
    what_is_said,
)
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
    "OVERRULES",
    "DraftTemplate",
    "Filled",
    "Speakable",
    "Table",
    "check_draft",
    "drafts_from",
    "drafts_in",
    "fill",
    "label",
    "left_out_text",
    "read_drafts",
    "read_table",
    "repeated_text",
    "table_of",
    "what_is_said",
    "write_draft",
]
