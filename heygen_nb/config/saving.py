"""Writing config.yaml and .env: all at once or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from heygen_nb.config.loading import CONFIG_NAME, read_config
from heygen_nb.config.settings import FILE_KEYS, SECRETS, Settings
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _


def save_settings(settings: Settings, *, path: Path | None = None) -> Path:
    """Write the settings to config.yaml, all at once or not at all.

    Comments, order and keys we do not know stay; what equals its default and does
    not stand in the file is not added, except the four keys every file has.

    Raises:
        ConfigError: The present file is broken, or it cannot be written.
    """
    file = path or settings.home / CONFIG_NAME
    data = read_config(file)
    always = {
        "heygen_use_avatar",
        "heygen_background_url",
        "heygen_voice",
        "video_duration",
    }
    for key in FILE_KEYS:
        value = getattr(settings, key)
        default = Settings.model_fields[key].default
        if (key in data or key in always or value != default) and (
            key not in data or data[key] != value
        ):
            data[key] = value
    text = StringIO()
    YAML().dump(data, text)
    _write_whole(file, text.getvalue(), mode=0o644)
    return file


def save_secret(home: Path, key: str, value: str) -> None:
    """Keep a key or token in ``.env`` (mode 0600); an empty value removes it.

    Args:
        home: Folder of the ``.env`` file.
        key: ``heygen_api_key``, ``telegram_bot_token`` or ``script_api_key``.
        value: The secret, without line breaks or quotes.

    Raises:
        ConfigError: The value cannot be a key, or the file cannot be written.
    """
    name = SECRETS[key]
    if re.search(r"[\s'\"\\]", value):
        raise ConfigError(_("{name} must not have spaces or quotes.").format(name=name))
    file = home / ".env"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    kept = [line for line in lines if not re.match(rf"\s*(export\s+)?{name}\s*=", line)]
    if value:
        kept.append(f"{name}={value}")
    _write_whole(file, "".join(f"{line}\n" for line in kept), mode=0o600)


def _write_whole(file: Path, text: str, *, mode: int) -> None:
    temporary = None
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(file)
    except OSError as exc:
        if temporary:
            temporary.unlink(missing_ok=True)
        raise ConfigError(
            _("{file} could not be written: {reason}.").format(
                file=file, reason=exc.strerror or exc
            ),
            hint=_("The file is as it was. Make room or allow writing, then retry."),
        ) from None
