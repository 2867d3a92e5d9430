"""Drafts from files, and from tables with a template."""

from heygen_nb.drafts.fields import FIELDS, OVERRULES, label, write_draft
from heygen_nb.drafts.read import drafts_in, read_drafts
from heygen_nb.drafts.spoken import check_draft, left_out_text, what_is_said
from heygen_nb.drafts.table import Table, read_table, table_of
from heygen_nb.drafts.template import DraftTemplate, drafts_from, fill, repeated_text
