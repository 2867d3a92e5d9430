"""Settings: arguments > environment > .env > config.yaml > defaults.

config.yaml never holds a secret, .env never holds an address: a file that came
with a downloaded project must not be able to send a key somewhere else.
"""

from heygen_nb.config.loading import (
    CONFIG_NAME,
    LEDGER_NAME,
    find_home,
    load_settings,
    save_secret,
    save_settings,
)
from heygen_nb.config.settings import (
    FILE_KEYS,
    SECRETS,
    VIDEO_KEYS,
    Settings,
    check_duration,
)

__all__ = [
    "CONFIG_NAME",
    "FILE_KEYS",
    "LEDGER_NAME",
    "SECRETS",
    "VIDEO_KEYS",
    "Settings",
    "check_duration",
    "find_home",
    "load_settings",
    "save_secret",
    "save_settings",
]
