"""Rendering drafts; here ``VIDEO_CONFIG``: the video settings of the next render."""

from collections.abc import Mapping
from typing import Any

from heygen_nb.config import VIDEO_KEYS, Settings, check_duration, checked_settings
from heygen_nb.drafts import OVERRULES
from heygen_nb.errors import ArgumentError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import NO_BACKGROUND, Draft

VIDEO_CONFIG: dict[str, Any] = {
    key: Settings.model_fields[name].default for key, name in VIDEO_KEYS.items()
}
"""Changed in place, so whoever imported it sees the change. What was not changed
here follows config.yaml."""

_from_settings = dict(VIDEO_CONFIG)
_explicit: set[str] = set()
_last: list[dict[str, Any]] = [{}, {}]  # panels ask again and again: checked once


def update_video_config(**changes: Any) -> dict[str, Any]:
    """Change what the next render uses.

    Args:
        **changes: Keys of :data:`VIDEO_CONFIG`; ``duration`` is brought into
            15 to 60 seconds (30 when it is no number).

    Returns:
        A copy of the whole configuration after the change.

    Raises:
        ArgumentError: There is no such key.
        ConfigError: A value is not allowed; nothing was changed.
    """
    checked = _checked(changes)
    VIDEO_CONFIG.update({key: checked[VIDEO_KEYS[key]] for key in changes})
    _explicit.update(changes)
    return dict(VIDEO_CONFIG)


def reset_video_config() -> None:
    """Forget all changes: config.yaml and the defaults hold again."""
    _explicit.clear()
    VIDEO_CONFIG.update(_from_settings)


def effective_settings(
    settings: Settings, config: Mapping[str, Any] | None = None
) -> Settings:
    """Return the settings with VIDEO_CONFIG, or the given one, laid over them."""
    for key, name in VIDEO_KEYS.items():
        untouched = key not in _explicit and VIDEO_CONFIG[key] == _from_settings[key]
        _from_settings[key] = getattr(settings, name)
        if untouched:
            VIDEO_CONFIG[key] = _from_settings[key]
    wanted = {**VIDEO_CONFIG, **(config or {})}
    if wanted != _last[0]:
        _last[:] = wanted, _checked(wanted)
    return settings.model_copy(update=_last[1])


def draft_settings(draft: Draft, settings: Settings) -> Settings:
    """Lay what the draft itself says over the settings."""
    own = {key: getattr(draft, name) for name, key in OVERRULES.items()}
    chosen = {k: v for k, v in own.items() if v not in (None, "")}
    if draft.background == NO_BACKGROUND:
        chosen["heygen_background_url"] = ""
    return settings.model_copy(update=chosen)


def settings_for(
    draft: Draft, settings: Settings, config: Mapping[str, Any] | None = None
) -> Settings:
    """Return the settings with VIDEO_CONFIG and the draft's own wishes over them."""
    return draft_settings(draft, effective_settings(settings, config))


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that changes of VIDEO_CONFIG stand for."""
    if unknown := set(changes) - set(VIDEO_KEYS):
        problem = _("There is no video setting {name}.")
        hint, name = _("Allowed: {allowed}."), repr(min(unknown))
        allowed = ", ".join(VIDEO_KEYS)
        raise ArgumentError(problem, hint=hint, name=name, allowed=allowed)
    named = {VIDEO_KEYS[key]: value for key, value in changes.items()}
    if "duration" in changes:
        named["video_duration"] = check_duration(changes["duration"])[0]
    checked = checked_settings(named, dict.fromkeys(named, "VIDEO_CONFIG"))
    return {name: getattr(checked, name) for name in named}
