"""What is written into CSV files, so that a spreadsheet shows it and runs nothing."""

from __future__ import annotations

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain_cell(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula.

    A text that begins like one gets an apostrophe, as OWASP's page on CSV injection
    advises; numbers stay numbers.
    """
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
