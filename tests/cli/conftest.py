from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from heygen_nb.cli import main


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def text(self):
        return self.out + self.err


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command as the shell would; give what it printed and its exit code."""

    def command(*arguments, **environ):
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["heygen-nb", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Ran(int(ended.value.code or 0), printed.out, printed.err)

    return command


@pytest.fixture
def draft_file(home):
    def write(text="Hello there, this is a script.", name="draft.md"):
        file = home / name
        file.write_text(text, "utf-8")
        return file

    return write
