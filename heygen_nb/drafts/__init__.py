"""Drafts from files, and from tables with a template."""

from heygen_nb.drafts.fields import FIELDS as FIELDS
from heygen_nb.drafts.fields import OVERRULES as OVERRULES
from heygen_nb.drafts.fields import label as label
from heygen_nb.drafts.fields import write_draft as write_draft
from heygen_nb.drafts.read import drafts_in as drafts_in
from heygen_nb.drafts.read import read_drafts as read_drafts
from heygen_nb.drafts.spoken import MAX_SCRIPT_CHARS as MAX_SCRIPT_CHARS
from heygen_nb.drafts.spoken import Speakable as Speakable
from heygen_nb.drafts.spoken import check_draft as check_draft
from heygen_nb.drafts.spoken import left_out_text as left_out_text
from heygen_nb.drafts.spoken import what_is_said as what_is_said
from heygen_nb.drafts.table import Table as Table
from heygen_nb.drafts.table import read_table as read_table
from heygen_nb.drafts.table import table_of as table_of
from heygen_nb.drafts.template import DraftTemplate as DraftTemplate
from heygen_nb.drafts.template import Filled as Filled
from heygen_nb.drafts.template import drafts_from as drafts_from
from heygen_nb.drafts.template import fill as fill
from heygen_nb.drafts.template import repeated_text as repeated_text
