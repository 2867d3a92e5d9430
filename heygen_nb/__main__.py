"""``python -m heygen_nb`` is ``heygen-nb``."""

from heygen_nb.cli import main

main()
