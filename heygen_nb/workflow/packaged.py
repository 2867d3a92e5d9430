"""Where the files are that come with the package."""

from __future__ import annotations

from pathlib import Path

import heygen_nb


def packaged(name: str) -> Path:
    """Return a folder that lies beside the package in a checkout, in it in a wheel."""
    package = Path(heygen_nb.__file__).parent
    return next(p for p in (package / name, package.parent / name) if p.is_dir())
