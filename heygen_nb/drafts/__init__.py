"""Drafts from files, and from tables with a template."""

from heygen_nb.drafts.fields import (
    FIELDS as FIELDS,
    OVERRULES as OVERRULES,
    label as label,
    write_draft as write_draft,
)
from heygen_nb.drafts.read import drafts_in as drafts_in, read_drafts as read_drafts
from heygen_nb.drafts.spoken import (
    MAX_SCRIPT_CHARS as MAX_SCRIPT_CHARS,
    Speakable as Speakable,
    check_draft as check_draft,
    left_out_text as left_out_text,
    what_is_said as what_is_said,
)
from heygen_nb.drafts.table import (
    Table as Table,
    read_table as read_table,
    table_of as table_of,
)
from heygen_nb.drafts.template import (
    DraftTemplate as DraftTemplate,
    Filled as Filled,
    drafts_from as drafts_from,
    fill as fill,
    repeated_text as repeated_text,
)
