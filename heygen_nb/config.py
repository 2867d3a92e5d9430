"""Settings: arguments > environment > .env > config.yaml > defaults.

config.yaml never holds a secret, .env never holds an address: a file that came
with a downloaded project must not be able to send a key somewhere else.
"""

import difflib
import logging
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from dotenv import dotenv_values
from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import from_json
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from heygen_nb import models
from heygen_nb.clock import Pace
from heygen_nb.errors import ConfigError
from heygen_nb.files import YamlReader, YamlText, os_errors_as, read_text, write_whole
from heygen_nb.i18n import LANGUAGES, at_line, gettext as _, problem_at, set_language
from heygen_nb.models import DEFAULT_DURATION_S, MAX_DURATION_S, MIN_DURATION_S, masked

log = logging.getLogger("heygen_nb.config")

CONFIG_NAME, LEDGER_NAME = "config.yaml", "heygen_nb.db"
MAX_BYTES = 1_000_000
_CREDENTIALS = "~/.heygen/credentials"
_MAX_CREDENTIALS_BYTES = 100_000
_ALWAYS = {  # that every file has
    *("heygen_use_avatar", "heygen_background_url", "heygen_voice", "video_duration")
}
_SANDBOX_LOOK_S = 1.0
_LANGUAGES = ("auto", *LANGUAGES)
SECRETS = {
    "heygen_api_key": "HEYGEN_API_KEY",
    "telegram_bot_token": "TELEGRAM_BOT_TOKEN",
    "script_api_key": "OPENAI_API_KEY",
}
ADDRESSES = {
    "heygen_base_url": "HEYGEN_BASE_URL",
    "telegram_base_url": "TELEGRAM_BASE_URL",
    "script_base_url": "HEYGEN_NB_SCRIPT_BASE_URL",
}


# What stood here before: true or false.
_CAPTIONS = {"true": "own", "yes": "own", "on": "own", "false": "off", "no": "off"}
Captions = Annotated[
    Literal["own", "heygen", "off"],
    BeforeValidator(lambda value: _CAPTIONS.get(str(value).lower(), value)),
]


class Settings(BaseModel):
    """All settings of one home folder; change them with ``model_copy(update=…)``.

    Attributes:
        heygen_background_url: ``#rrggbb``, a link, or a PNG or JPEG file (absolute,
            from ``~`` or relative to home; without an avatar an MP4 too, which is
            shown again and again); empty for none.
        heygen_voice: A HeyGen voice id, a voice name, or a wish such as
            ``en-US-Neural2-F`` (any voice of that language).
        heygen_avatar_id: A look id; empty means the account's first own look,
            else the first public one.
        video_duration: Wished length in seconds, 15 to 60.
        no_avatar: Without an avatar, ``local`` buys HeyGen's speech alone and makes the
            film on this machine; ``heygen`` has HeyGen render a still scene.
        voice_bars: Whether such a film of ours shows how loud the voice is.
        fit: How the avatar fills the canvas: ``cover`` cuts, ``contain`` leaves bars,
            ``auto`` chooses by the shapes of both.
        length_mode: ``estimate``, or ``exact``: the speech is made first (paid, a
            hundredth of the video; a starfish voice) and that very sound rendered.
        min_speed: Slowest speech that still sounds natural; 1 is the voice's own.
        max_speed: Fastest one.
        captions: ``own`` are put on here, for nothing; ``heygen`` are burned in by
            HeyGen and part of what is paid for; ``off``. True and false, as it was
            before, are ``own`` and ``off``.
        loudness: Of the finished video, in LUFS; 0 leaves the sound as it is.
        max_cost_per_render: What one render may cost unasked; 0 is no limit.
        max_cost_per_day: The same for all renders since local midnight.
        poll_interval_s: Seconds between two looks at a render's status.
        wait_timeout_s: Seconds after which waiting (not the render) stops.
        telegram_chat_id: Number, ``@name`` or t.me link of the chat.
        telegram_thread_id: The topic of a forum; 0 is none.
        telegram_cover_s: Second whose picture is the post's cover; 0 leaves it.
        telegram_start_s: Second at which a post begins to play.
        ai_label: Where a video says that it was made with AI.
        ledger_url: SQLAlchemy address; empty means ``heygen_nb.db`` in home.
        script_model: Name of the language model that writes scripts; empty means
            none: only the ready formats do.
        script_base_url: Any server that speaks OpenAI's API.
        heygen_session: Access token of HeyGen's own command line tools; it spends the
            credits of the plan, and only where there is no key.
        heygen_source: Where key or session were found, for people to read.
        home: Folder of the ledger, the videos and the log.
    """

    model_config = {
        "frozen": True,
        "extra": "forbid",
        "validate_default": True,
        "coerce_numbers_to_str": True,  # a chat id may be given as a number
    }

    language: Annotated[str, Field(pattern=f"^({'|'.join(_LANGUAGES)})$")] = Field(
        "auto", json_schema_extra={"enum": list(_LANGUAGES)}
    )
    backend: Literal["auto", "heygen", "sandbox"] = "auto"
    heygen_use_avatar: bool = True
    no_avatar: Literal["local", "heygen"] = "local"
    voice_bars: bool = True
    heygen_background_url: str = ""
    heygen_voice: str = "en-US-Neural2-F"
    heygen_avatar_id: str = ""
    avatar_engine: str = Field("auto", pattern=r"^[a-z0-9_]{1,40}$")
    video_duration: int = Field(
        DEFAULT_DURATION_S, ge=MIN_DURATION_S, le=MAX_DURATION_S
    )
    length_mode: Literal["estimate", "exact"] = "estimate"
    min_speed: float = Field(0.9, ge=0.5, le=1)
    max_speed: float = Field(1.15, ge=1, le=1.5)
    max_cost_per_render: float = Field(0, ge=0, allow_inf_nan=False)
    max_cost_per_day: float = Field(0, ge=0, allow_inf_nan=False)
    aspect_ratio: models.AspectRatio = "9:16"
    resolution: Literal["720p", "1080p", "4k"] = "1080p"
    fit: Literal["auto", "cover", "contain"] = "auto"
    captions: Captions = "own"
    loudness: float = Field(-14, ge=-30, le=0, allow_inf_nan=False)
    poll_interval_s: float = Field(10, ge=0.01, le=600)
    wait_timeout_s: float = Field(900, gt=0, le=86400)
    max_concurrent_renders: int = Field(10, ge=1, le=100)
    telegram_chat_id: str = ""
    telegram_auto_send: bool = False
    telegram_thread_id: int = Field(0, ge=0)
    telegram_cover_s: float = Field(0, ge=0, allow_inf_nan=False)
    telegram_start_s: int = Field(0, ge=0)
    ai_label: Literal["off", "caption", "metadata", "both"] = "off"
    videos_dir: str = Field("videos", min_length=1)
    ledger_url: str = ""
    log_file: str = Field("astro.log", min_length=1)
    script_model: str = ""

    heygen_api_key: SecretStr | None = None
    heygen_session: SecretStr | None = None
    heygen_source: str = ""
    telegram_bot_token: SecretStr | None = None
    script_api_key: SecretStr | None = None
    heygen_base_url: str = "https://api.heygen.com"
    telegram_base_url: str = ""
    script_base_url: str = "https://api.openai.com/v1"
    home: Path = Path()

    @pydantic.model_serializer(mode="wrap")
    def _masked(self, dump: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {key: masked(value) for key, value in dump(self).items()}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((key, masked(value)) for key, value in super().__repr_args__())

    @property
    def active_backend(self) -> models.Backend:
        """``sandbox`` when asked for, or when there is neither key nor session."""
        if self.backend != "auto":
            return self.backend
        return "heygen" if self.heygen_api_key or self.heygen_session else "sandbox"

    @property
    def pace(self) -> Pace:
        """How often to look; the sandbox, on this machine and free, every second."""
        most_s = _SANDBOX_LOOK_S if self.active_backend == "sandbox" else math.inf
        return Pace(min(self.poll_interval_s, most_s), self.wait_timeout_s)

    @property
    def films_here(self) -> bool:
        """Whether the film is made on this machine, of HeyGen's speech."""
        return not self.heygen_use_avatar and self.no_avatar == "local"

    @property
    def videos_path(self) -> Path:
        """Absolute folder of the finished videos."""
        return (self.home / self.videos_dir).absolute()

    @property
    def log_path(self) -> Path:
        """Absolute path of the log file."""
        return (self.home / self.log_file).absolute()


# The keys of hg.VIDEO_CONFIG and what they set.
VIDEO_KEYS = {
    "duration": "video_duration",
    "use_avatar": "heygen_use_avatar",
    "background_url": "heygen_background_url",
    "voice": "heygen_voice",
    "avatar_id": "heygen_avatar_id",
    "engine": "avatar_engine",
    "aspect_ratio": "aspect_ratio",
    "resolution": "resolution",
    "captions": "captions",
}
_INNER = {*SECRETS, *ADDRESSES, "heygen_session", "heygen_source", "home"}
FILE_KEYS = tuple(name for name in Settings.model_fields if name not in _INNER)


def check_duration(value: object) -> tuple[int, str]:
    """Bring a wished video length into what is allowed.

    Args:
        value: Whatever stands in the field: text, a number, nothing.

    Returns:
        Seconds from 15 to 60 (30 when the value is no number), and a word on why
        it differs from what was asked; empty if it does not.
    """
    try:
        asked = float(str(value).strip().replace(",", "."))
    except ValueError:
        asked = math.nan
    if math.isnan(asked):
        seconds = DEFAULT_DURATION_S
        reason = _("“{value}” is not a number: {seconds} s are used")
    elif asked < MIN_DURATION_S:
        seconds, reason = MIN_DURATION_S, _("at least {seconds} s")
    elif asked > MAX_DURATION_S:
        seconds, reason = MAX_DURATION_S, _("at most {seconds} s")
    else:
        seconds, reason = math.floor(asked + 0.5), _("rounded to whole seconds")
    told = reason.format(value=value, seconds=seconds)
    return seconds, "" if seconds == asked else told


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
        text = _("HEYGEN_NB_HOME names {path}, which cannot be used: {reason}.")
        hint = _("Name a folder of yours, or unset it to use the current one.")
        with os_errors_as(ConfigError, text, hint, path=named):
            home = Path(named).expanduser().absolute()
            home.mkdir(parents=True, exist_ok=True)
        return home
    start = (start or Path.cwd()).absolute()
    ours = re.compile(rf"^(?:{'|'.join(FILE_KEYS)})\s*:", re.MULTILINE)
    for folder in (start, *start.parents):
        with suppress(OSError):
            # a notebook in notebooks/ has the command line's ledger
            if (folder / LEDGER_NAME).is_file() or ours.search(
                read_text(folder / CONFIG_NAME, MAX_BYTES)
            ):
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
        hint = _("Check the path, or leave it out to use the defaults.")
        raise ConfigError(_("There is no settings file {path}."), hint=hint, path=path)
    home = find_home(environ=environ)
    file = Path(path).absolute() if path else home / CONFIG_NAME
    if path and not environ.get("HEYGEN_NB_HOME"):
        home = file.parent
    values: dict[str, Any] = {"home": home}
    origin: dict[str, str] = {}
    dotenv = dotenv_values(stream=StringIO(_read(home / ".env")), interpolate=False)
    for source, key, value in (
        *_file_values(file),
        *_environment(dotenv, from_file=True),
        *_environment(environ, from_file=False),
        *((_("argument"), key, value) for key, value in arguments.items()),
    ):
        if value is not None:
            values[key], origin[key] = value, source
    if values.get("heygen_api_key"):
        values["heygen_source"] = origin["heygen_api_key"]
    else:  # those of HeyGen's own tools, in which the key comes first too
        source = environ.get("HEYGEN_NB_CREDENTIALS") or _CREDENTIALS
        if found := read_credentials(source):
            first = next(iter(found))
            values |= {first: found[first], "heygen_source": source}
    if values.get("language") in (*LANGUAGES, "auto"):
        set_language(values["language"])  # what follows may have to be told
    wished = values.get("video_duration", DEFAULT_DURATION_S)
    values["video_duration"], reason = check_duration(wished)
    if reason:
        log.warning("%s: video_duration: %s", origin["video_duration"], reason)
    return checked_settings(values, origin)


def read_credentials(file: str | Path) -> dict[str, SecretStr]:
    """Return the key, then the session, that HeyGen's own command line tools keep.

    Their file is never written here. Its form is that of the public heygen-cli (July
    2026): JSON, or one line with a key. One that is missing or cannot be read counts
    as empty.
    """
    try:
        text = read_text(Path(file).expanduser(), _MAX_CREDENTIALS_BYTES).strip()
    except (OSError, RuntimeError):  # RuntimeError: no home at all
        return {}
    try:
        data = from_json(text)
    except ValueError:
        is_key = re.fullmatch(r"[\w.+/=-]+", text, re.ASCII)
        data = {"api_key": text} if is_key else {}
    data = data if isinstance(data, dict) else {}
    oauth = data.get("oauth")
    session = oauth.get("access_token") if isinstance(oauth, dict) else None
    found = {"heygen_api_key": data.get("api_key"), "heygen_session": session}
    return {k: SecretStr(v) for k, v in found.items() if isinstance(v, str) and v}


def _file_values(file: Path) -> Iterator[tuple[str, str, str]]:
    for key, value in _config_texts(file).items():
        where = at_line(file.name, value.line)
        if name := (SECRETS | ADDRESSES).get(key):
            problem = _("{key} must not stand in this file").format(key=key)
            hint = _("Take the line out and set {name} in the environment.")
            raise ConfigError(problem_at(where, problem), hint=hint, name=name)
        if key == "ledger_url":
            _refuse_password(value, where)
        if key not in FILE_KEYS:
            log.warning("%s", _unknown_key(where, key))
        elif not value.is_null:
            yield where, key, value


def _config_texts(file: Path) -> dict[str, YamlText]:
    """Return the keys of a config.yaml; a missing or empty one has none.

    Raises:
        ConfigError: It cannot be read or is not a map of keys.
    """
    hint, is_word = _("It holds one “key: value” a line."), _WORDS.__contains__
    kind: dict[str, Any] = {"allowed": _allowed, "error": ConfigError, "many": False}
    maps = YamlReader(str(file), hint, is_word, **kind).maps(_read(file))
    return next((texts for _line, texts in maps), {})


def _read(file: Path) -> str:
    """Return the text of a settings file; a missing one is empty."""
    text = _("{file} cannot be read: {reason}.")
    hint = _("It has to be a readable UTF-8 text file.")
    with os_errors_as(ConfigError, text, hint, file=file), suppress(FileNotFoundError):
        return read_text(file, MAX_BYTES)
    return ""


def _refuse_password(url: str, where: str) -> None:
    if masked(url) != url:
        problem = _("ledger_url must not hold a password")
        hint = _("Set HEYGEN_NB_LEDGER_URL in the environment, or use ~/.pgpass.")
        raise ConfigError(problem_at(where, problem), hint=hint)


def _unknown_key(where: str, key: str) -> str:
    near = difflib.get_close_matches(key, FILE_KEYS, n=1)
    text = problem_at(where, _("unknown key “{key}”, left as it is").format(key=key))
    return text + (_(" Did you mean “{near}”?").format(near=near[0]) if near else "")


def _environment(
    source: Mapping[str, str | None], *, from_file: bool
) -> Iterator[tuple[str, str, Any]]:
    names = {f"HEYGEN_NB_{key.upper()}": key for key in FILE_KEYS}
    names |= {"TELEGRAM_CHAT_ID": "telegram_chat_id"}
    names |= {name: key for key, name in (SECRETS | ADDRESSES).items()}
    for name in filter(source.get, source):
        if names.get(name) in ADDRESSES and from_file:
            text = _("{name} is not taken from .env, only from the environment.")
            log.warning(text.format(name=name))
        elif name in names:
            yield (f".env: {name}" if from_file else name), names[name], source[name]


def checked_settings(values: Mapping[str, Any], origin: Mapping[str, str]) -> Settings:
    """Return settings that fit.

    Args:
        values: By key.
        origin: Where they were found, for people.

    Raises:
        ConfigError: One does not fit; names place, key and what is allowed.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
    key = str(error["loc"][0])
    if key not in Settings.model_fields:
        raise ConfigError(_unknown_key(origin.get(key, key), key))
    shown = "" if key in SECRETS else f" ({masked(str(error['input']))[:60]!r})"
    problem = _("{key} has a value that does not fit{shown}")
    told = problem_at(origin.get(key, key), problem.format(key=key, shown=shown))
    raise ConfigError(told, hint=_allowed(key))


def _allowed(key: str) -> str:
    if key not in Settings.model_fields:
        return ""
    return _("Allowed: {allowed}.").format(allowed=models.allowed_values(Settings, key))


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
    origin = dict.fromkeys(changes, CONFIG_NAME)
    chosen = checked_settings({"home": home, **changes}, origin)
    _refuse_password(chosen.ledger_url, "ledger_url")
    data = YAML().load(_read(file)) or CommentedMap()
    for key in FILE_KEYS:
        value, usual = getattr(chosen, key), Settings.model_fields[key].default
        changed = key in changes and (key in texts or value != usual)
        if changed and key in _WORDS and (notes := data.ca.items.get(key)) and notes[2]:
            # what YAML took for a comment may be the end of its old text
            said, line_end, below = notes[2].value.partition("\n")
            if re.match(r"#[^\s#]", said):
                notes[2].value = line_end + below
        if changed or (key in _ALWAYS and key not in texts):
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
        raise ConfigError(_("{name} must not have spaces or quotes."), name=name)
    file = home / ".env"
    lines = _read(file).splitlines()
    kept = [line for line in lines if not re.match(rf"\s*(export\s+)?{name}\s*=", line)]
    if value:
        kept.append(f"{name}={value}")
    _write(file, "".join(f"{line}\n" for line in kept), mode=0o600)


def _write(file: Path, text: str, *, mode: int) -> None:
    told = _("{file} could not be written: {reason}.")
    hint = _("The file is as it was. Make room or allow writing, then retry.")
    with os_errors_as(ConfigError, told, hint, file=file):
        write_whole(file, text, mode=mode)
