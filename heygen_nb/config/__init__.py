"""Settings: arguments > environment > .env > config.yaml > defaults.

config.yaml never holds a secret, .env never holds an address: a file that came
with a downloaded project must not be able to send a key somewhere else.
"""

from heygen_nb.config.loading import (
    CONFIG_NAME as CONFIG_NAME,
    LEDGER_NAME as LEDGER_NAME,
    Credentials as Credentials,
    find_home as find_home,
    load_settings as load_settings,
    read_credentials as read_credentials,
    save_secret as save_secret,
    save_settings as save_settings,
)
from heygen_nb.config.settings import (
    FILE_KEYS as FILE_KEYS,
    SECRETS as SECRETS,
    VIDEO_KEYS as VIDEO_KEYS,
    Settings as Settings,
    check_duration as check_duration,
)
