"""The command line: ``commands`` declares what there is, one module runs each."""

from __future__ import annotations

import logging
import sys

from heygen_nb.cli.commands import app
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _


def main() -> None:
    """Run a command; a known error ends with its message and exit code."""
    from heygen_nb.log import PlainFormatter

    if logging.lastResort:  # where warnings go as long as there is no log file
        logging.lastResort.setFormatter(PlainFormatter())

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an emoji must not end the program
            stream.reconfigure(errors="replace")
    try:
        try:
            app()
        except OSError as error:  # a full or read-only disk, no temporary folder
            raise HeygenNbError(
                f"{error.filename or ''} {error.strerror or error}.".strip(),
                hint=_("Make room there or allow writing, then try again."),
            ) from error
    except HeygenNbError as error:
        from heygen_nb.cli.console import say_error

        say_error(error)
        sys.exit(error.exit_code)
