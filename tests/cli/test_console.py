from __future__ import annotations

import json

from rich.table import Table

from heygen_nb.cli.console import out, say, say_error
from heygen_nb.errors import DraftError

NASTY = "Maya\x1b]0;title\x07\x1b[2J\u202e"


def test_no_name_or_error_moves_the_terminal(capsys):
    table = Table()
    table.add_column(NASTY)
    table.add_row(NASTY)

    say(NASTY)
    out.print(table)
    say_error(DraftError(NASTY, hint=NASTY))

    shown = "".join(capsys.readouterr())
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "Maya\\u001b]0;title" in shown


def test_json_lines_stay_json(capsys):
    say(json.dumps({"name": "a\x9bb"}, ensure_ascii=False))

    assert json.loads(capsys.readouterr().out) == {"name": "a\x9bb"}
