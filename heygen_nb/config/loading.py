"""Reading the settings from all their sources, each value with where it stood."""

from __future__ import annotations

import difflib
import logging
import os
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from heygen_nb.config.credentials import DEFAULT_FILE, read_credentials
from heygen_nb.config.settings import (
    ADDRESSES,
    FILE_KEYS,
    SECRETS,
    Settings,
    check_duration,
)
from heygen_nb.errors import ConfigError
from heygen_nb.files import write_whole
from heygen_nb.i18n import LANGUAGES, set_language
from heygen_nb.i18n import gettext as _
from heygen_nb.models import DEFAULT_DURATION_S, allowed_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger("heygen_nb.config")

CONFIG_NAME = "config.yaml"


def find_home(
    start: Path | None = None, environ: Mapping[str, str] | None = None
) -> Path:
    """Return the folder of ledger, videos and log.

    It is ``HEYGEN_NB_HOME``, else the nearest folder upward whose config.yaml has
    one of our keys, else ``start`` (the current folder).
    """
    environ = os.environ if environ is None else environ
    if named := environ.get("HEYGEN_NB_HOME"):
        return Path(named).expanduser().absolute()
    start = (start or Path.cwd()).absolute()
    ours = re.compile(rf"^(?:{'|'.join(FILE_KEYS)})\s*:", re.MULTILINE)
    for folder in (start, *start.parents):
        try:
            text = (folder / CONFIG_NAME).read_text("utf-8", errors="replace")
        except OSError:
            continue
        if ours.search(text):
            return folder
    return start


def load_settings(
    path: str | Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Settings:
    """Read the settings from all their sources, and speak their language from now on.

    Args:
        path: config.yaml; by default the one in home (it may be missing).
        environ: Environment variables; by default the process's own.
        **arguments: Settings that win over every other source; None is not set.

    Raises:
        ConfigError: A source cannot be read or holds a value that is not allowed;
            the message names file, line and key.
    """
    environ = os.environ if environ is None else environ
    if path is not None and not Path(path).exists():
        raise ConfigError(
            _("There is no settings file {path}.").format(path=path),
            hint=_("Check the path, or leave it out to use the defaults."),
        )
    home = find_home(environ=environ)
    file = Path(path).absolute() if path else home / CONFIG_NAME
    if path and not environ.get("HEYGEN_NB_HOME"):
        home = file.parent
    given = {key: value for key, value in arguments.items() if value is not None}
    values: dict[str, Any] = {"home": home}
    origin: dict[str, str] = {}
    for source, found in (
        *_file_values(file),
        *_environment(dotenv_values(home / ".env", interpolate=False), from_file=True),
        *_environment(environ, from_file=False),
        *((_("argument"), (key, value)) for key, value in given.items()),
    ):
        key, value = found
        values[key], origin[key] = value, source
    _add_credentials(values, origin, environ)
    if values.get("language") in (*LANGUAGES, "auto"):
        set_language(values["language"])  # what follows may have to be told
    _apply_duration_rule(values, origin)
    try:
        return Settings.model_validate(values)
    except ValidationError as exc:
        raise _config_error(exc, origin) from None


def _add_credentials(
    values: dict[str, Any], origin: Mapping[str, str], environ: Mapping[str, str]
) -> None:
    """Take key or session of HeyGen's own tools where no key of ours is set."""
    if values.get("heygen_api_key"):
        values["heygen_source"] = origin["heygen_api_key"]
        return
    file = environ.get("HEYGEN_NB_CREDENTIALS") or DEFAULT_FILE
    found = read_credentials(file)
    if found.api_key or found.session:
        values["heygen_source"] = str(file)
        values["heygen_api_key"] = found.api_key
        # as in HeyGen's own tools, the key comes first
        values["heygen_session"] = None if found.api_key else found.session


def _apply_duration_rule(values: dict[str, Any], origin: dict[str, str]) -> None:
    wished = values.get("video_duration", DEFAULT_DURATION_S)
    if isinstance(wished, list | dict):
        return  # a wrong kind of value is an error, not something to round
    values["video_duration"], reason = check_duration(wished)
    if reason:
        log.warning("%s: video_duration: %s", origin["video_duration"], reason)


def _file_values(file: Path) -> Iterator[tuple[str, tuple[str, Any]]]:
    data = read_config(file)
    for key, value in data.items():
        line = data.lc.key(key)[0] + 1
        where = _("{file}, line {line}").format(file=file.name, line=line)
        if key in SECRETS or key in ADDRESSES:
            raise ConfigError(
                _("{where}: {key} must not stand in this file.").format(
                    where=where, key=key
                ),
                hint=_("Take the line out and set {name} in the environment.").format(
                    name=(SECRETS | ADDRESSES)[key]
                ),
            )
        if key not in FILE_KEYS:
            log.warning("%s", _unknown_key(where, str(key)))
        elif value is not None:
            yield where, (key, _checked_ledger_url(value, where, key))


def _checked_ledger_url(value: Any, where: str, key: str) -> Any:
    if key == "ledger_url" and urlsplit(str(value)).password:
        raise ConfigError(
            _("{where}: ledger_url must not hold a password.").format(where=where),
            hint=_("Set HEYGEN_NB_LEDGER_URL in the environment, or use ~/.pgpass."),
        )
    return value


def _unknown_key(where: str, key: str) -> str:
    near = difflib.get_close_matches(key, FILE_KEYS, n=1)
    text = _("{where}: unknown key “{key}”, left as it is.").format(
        where=where, key=key
    )
    return text + (_(" Did you mean “{near}”?").format(near=near[0]) if near else "")


def _environment(
    source: Mapping[str, str | None], *, from_file: bool
) -> Iterator[tuple[str, tuple[str, Any]]]:
    names = {f"HEYGEN_NB_{key.upper()}": key for key in FILE_KEYS}
    names |= {"TELEGRAM_CHAT_ID": "telegram_chat_id"}
    names |= {name: key for key, name in SECRETS.items()}
    addresses = {name: key for key, name in ADDRESSES.items()}
    for name, value in source.items():
        if not value:
            continue
        if name in names:
            yield (f".env: {name}" if from_file else name), (names[name], value)
        elif name in addresses and from_file:
            log.warning(
                _("{name} is not taken from .env, only from the environment.").format(
                    name=name
                )
            )
        elif name in addresses:
            yield name, (addresses[name], value)


def _config_error(exc: ValidationError, origin: Mapping[str, str]) -> ConfigError:
    error = exc.errors(include_url=False)[0]
    key = str(error["loc"][0])
    shown = "" if key in SECRETS else f" ({str(error['input'])[:60]!r})"
    if key not in Settings.model_fields:
        return ConfigError(_unknown_key(origin.get(key, ""), key))
    return ConfigError(
        _("{where}: {key} has a value that does not fit{shown}.").format(
            where=origin.get(key, "?"), key=key, shown=shown
        ),
        hint=_("Allowed: {allowed}.").format(allowed=allowed_values(Settings, key)),
    )


def read_config(file: Path) -> CommentedMap:
    """Read a config.yaml with its comments; a missing or empty one is an empty map.

    Raises:
        ConfigError: It cannot be read or is not a map of keys.
    """
    try:
        data = YAML().load(file.read_text("utf-8")) if file.exists() else None
    except MarkedYAMLError as exc:
        mark = exc.problem_mark
        raise ConfigError(
            _("{file}, line {line}, column {column}: {problem}.").format(
                file=file,
                line=mark.line + 1 if mark else "?",
                column=mark.column + 1 if mark else "?",
                problem=exc.problem,
            ),
            hint=_("Correct that line, or delete the file to use the defaults."),
        ) from None
    except (OSError, UnicodeDecodeError, YAMLError) as exc:
        raise ConfigError(
            _("{file} cannot be read: {reason}.").format(file=file, reason=exc),
            hint=_("It has to be a readable UTF-8 text file."),
        ) from None
    if data is None:
        return CommentedMap()
    if not isinstance(data, CommentedMap):
        raise ConfigError(
            _("{file} has to be a list of “key: value” lines.").format(file=file),
            hint=_("Correct it, or delete the file to use the defaults."),
        )
    return data


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
    _write(file, text.getvalue(), mode=0o644)
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
    _write(file, "".join(f"{line}\n" for line in kept), mode=0o600)


def _write(file: Path, text: str, *, mode: int) -> None:
    try:
        write_whole(file, text, mode=mode)
    except OSError as exc:
        raise ConfigError(
            _("{file} could not be written: {reason}.").format(
                file=file, reason=exc.strerror or exc
            ),
            hint=_("The file is as it was. Make room or allow writing, then retry."),
        ) from None
