"""``python -m heygen_nb.sandbox``: the server process behind ``start_sandbox``."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from heygen_nb.errors import SandboxError
from heygen_nb.sandbox.options import SandboxOptions
from heygen_nb.sandbox.server import serve


def main() -> None:
    """Serve as told by the command line."""
    parser = argparse.ArgumentParser(prog="heygen_nb.sandbox")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--owner", type=int, help="process id to end with")
    parser.add_argument("--options", default="{}", help="SandboxOptions as JSON")
    asked = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # httpx would log the links it fetches, signatures and all.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    options = SandboxOptions.model_validate_json(asked.options)
    try:
        serve(
            asked.host,
            asked.port,
            state_dir=asked.state_dir,
            options=options,
            owner=asked.owner,
        )
    except SandboxError as exc:
        # Losing the race for the folder is no failure: the winner serves.
        logging.getLogger("heygen_nb.sandbox").info("%s", exc)


if __name__ == "__main__":
    main()
