"""Reading the settings from all their sources, each value with where it stood."""

from __future__ import annotations

import difflib
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_core import from_json
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from heygen_nb.config.settings import (
    ADDRESSES,
    FILE_KEYS,
    SECRETS,
    Settings,
    check_duration,
)
from heygen_nb.errors import ConfigError
from heygen_nb.files import YamlReader, YamlText, read_text, write_whole
from heygen_nb.i18n import LANGUAGES, at_line, gettext as _, set_language
from heygen_nb.models import DEFAULT_DURATION_S, allowed_values, masked

log = logging.getLogger("heygen_nb.config")

CONFIG_NAME, LEDGER_NAME = "config.yaml", "heygen_nb.db"
MAX_BYTES = 1_000_000
_CREDENTIALS = "~/.heygen/credentials"
_MAX_CREDENTIALS_BYTES = 100_000
_ALWAYS = (
    "heygen_use_avatar",
    "heygen_background_url",
    "heygen_voice",
    "video_duration",
)
_WORDS = {key for key in FILE_KEYS if Settings.model_fields[key].annotation is str}


def find_home(
    start: Path | None = None, environ: Mapping[str, str] | None = None
) -> Path:
    """Return the folder of ledger, videos and log.

    It is ``HEYGEN_NB_HOME``, else the nearest folder upward that has a ledger, or a
    config.yaml with one of our keys, else ``start`` (the current folder).
    """
    environ = os.environ if environ is None else environ
    if named := environ.get("HEYGEN_NB_HOME"):
        return _made(named)
    start = (start or Path.cwd()).absolute()
    ours = re.compile(rf"^(?:{'|'.join(FILE_KEYS)})\s*:", re.MULTILINE)
    for folder in (start, *start.parents):
        if (folder / LEDGER_NAME).is_file():
            return folder  # a notebook in notebooks/ has the command line's ledger
        try:
            text = read_text(folder / CONFIG_NAME, MAX_BYTES)
        except OSError:
            continue
        if ours.search(text):
            return folder
    return start


def _made(named: str) -> Path:
    """Return the folder that HEYGEN_NB_HOME names, which is made if it is missing."""
    try:
        home = Path(named).expanduser().absolute()
        home.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as exc:  # RuntimeError: ~ of somebody without home
        reason = getattr(exc, "strerror", None) or exc
        raise ConfigError(
            _("HEYGEN_NB_HOME names {path}, which cannot be used: {reason}.").format(
                path=named, reason=reason
            ),
            hint=_("Name a folder of yours, or unset it to use the current one."),
        ) from None
    return home


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
        *_environment(
            dotenv_values(stream=StringIO(_read(home / ".env")), interpolate=False),
            from_file=True,
        ),
        *_environment(environ, from_file=False),
        *((_("argument"), (key, value)) for key, value in given.items()),
    ):
        key, value = found
        values[key], origin[key] = value, source
    _add_credentials(values, origin, environ)
    if values.get("language") in (*LANGUAGES, "auto"):
        set_language(values["language"])  # what follows may have to be told
    wished = values.get("video_duration", DEFAULT_DURATION_S)
    values["video_duration"], reason = check_duration(wished)
    if reason:
        log.warning("%s: video_duration: %s", origin["video_duration"], reason)
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
    file = environ.get("HEYGEN_NB_CREDENTIALS") or _CREDENTIALS
    found = read_credentials(file)
    if found.api_key or found.session:
        values["heygen_source"] = str(file)
        values["heygen_api_key"] = found.api_key
        # as in HeyGen's own tools, the key comes first
        values["heygen_session"] = None if found.api_key else found.session


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key or session that HeyGen's own command line tools keep on this machine.

    Attributes:
        api_key: Spends the API wallet.
        session: Access token; spends the credits of the plan.
    """

    api_key: SecretStr | None = None
    session: SecretStr | None = None


def read_credentials(file: str | Path) -> Credentials:
    """Read the file of HeyGen's tools, which is theirs and never written here.

    Its form is that of the public heygen-cli (July 2026): JSON, or one line with a
    key. One that is missing or cannot be read counts as empty.
    """
    try:
        with Path(file).expanduser().open("rb") as stream:
            text = stream.read(_MAX_CREDENTIALS_BYTES).decode("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError, RuntimeError):  # RuntimeError: no home at all
        return Credentials()
    try:
        data = from_json(text)
    except ValueError:
        is_key = re.fullmatch(r"[\w.+/=-]+", text, re.ASCII)
        return Credentials(api_key=SecretStr(text)) if is_key else Credentials()
    data = data if isinstance(data, dict) else {}
    oauth = data.get("oauth")
    session = oauth.get("access_token") if isinstance(oauth, dict) else None
    return Credentials(_secret(data.get("api_key")), _secret(session))


def _secret(value: Any) -> SecretStr | None:
    return SecretStr(value) if isinstance(value, str) and value else None


def _file_values(file: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    for key, value in _config_texts(file).items():
        where = at_line(file.name, value.line)
        if key in SECRETS or key in ADDRESSES:
            raise ConfigError(
                _("{where}: {key} must not stand in this file.").format(
                    where=where, key=key
                ),
                hint=_("Take the line out and set {name} in the environment.").format(
                    name=(SECRETS | ADDRESSES)[key]
                ),
            )
        if key == "ledger_url":
            _refuse_password(value, where)
        if key not in FILE_KEYS:
            log.warning("%s", _unknown_key(where, key))
        elif not value.is_null:
            yield where, (key, value)


def _config_texts(file: Path) -> dict[str, YamlText]:
    """Return the keys of a config.yaml; a missing or empty one has none.

    Raises:
        ConfigError: It cannot be read or is not a map of keys.
    """
    expected = _("It holds one “key: value” a line.")
    reader = YamlReader(
        str(file),
        expected,
        words=_WORDS.__contains__,
        allowed=_allowed,
        error=ConfigError,
    )
    maps = list(reader.maps(_read(file)))
    if len(maps) > 1:
        raise ConfigError(
            _("{file} has to be a list of “key: value” lines.").format(file=file),
            hint=_("Correct it, or delete the file to use the defaults."),
        )
    return maps[0][1] if maps else {}


def _read(file: Path) -> str:
    """Return the text of a settings file; a missing one is empty.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return read_text(file, MAX_BYTES)
    except FileNotFoundError:
        return ""
    except OSError as exc:
        raise ConfigError(
            _("{file} cannot be read: {reason}.").format(
                file=file, reason=exc.strerror or exc
            ),
            hint=_("It has to be a readable UTF-8 text file."),
        ) from None


def _refuse_password(url: str, where: str) -> None:
    if masked(url) != url:
        raise ConfigError(
            _("{where}: ledger_url must not hold a password.").format(where=where),
            hint=_("Set HEYGEN_NB_LEDGER_URL in the environment, or use ~/.pgpass."),
        )


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
    shown = "" if key in SECRETS else f" ({masked(str(error['input']))[:60]!r})"
    if key not in Settings.model_fields:
        return ConfigError(_unknown_key(origin.get(key, ""), key))
    return ConfigError(
        _("{where}: {key} has a value that does not fit{shown}.").format(
            where=origin.get(key, "?"), key=key, shown=shown
        ),
        hint=_allowed(key),
    )


def _allowed(key: str) -> str:
    if key not in Settings.model_fields:
        return ""
    return _("Allowed: {allowed}.").format(allowed=allowed_values(Settings, key))


def save_settings(home: Path, **changes: Any) -> Path:
    """Write changed settings to config.yaml, all at once or not at all.

    Comments, order and all other keys stay. What comes from the environment, from
    .env or from arguments is not asked for: only what is given here is written, and
    the four keys that every file has.

    Raises:
        ConfigError: A value does not fit, the present file is broken, or it cannot
            be written.
    """
    file = home / CONFIG_NAME
    texts = _config_texts(file)
    try:
        chosen = Settings.model_validate({"home": home, **changes})
    except ValidationError as exc:
        raise _config_error(exc, {}) from None
    _refuse_password(chosen.ledger_url, "ledger_url")
    data = YAML().load(_read(file)) or CommentedMap()
    for key in FILE_KEYS:
        value, usual = getattr(chosen, key), Settings.model_fields[key].default
        if key in changes and (key in texts or value != usual):
            _put(data, key, value)
        elif key in _ALWAYS and key not in texts:
            data[key] = value
    text = StringIO()
    YAML().dump(data, text)
    _write(file, text.getvalue(), mode=0o644)
    return file


def _put(data: CommentedMap, key: str, value: Any) -> None:
    """Set a key; what YAML took for a comment may be the end of its old text."""
    notes = data.ca.items.get(key)
    if notes and key in _WORDS and (note := notes[2]):
        said, line_end, below = note.value.partition("\n")
        if re.match(r"#[^\s#]", said):
            note.value = line_end + below
    data[key] = value


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
    lines = _read(file).splitlines()
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
