"""``doctor --live``: whether the service still is as ``docs/heygen-api.md`` says.

Only free reads are sent. What is printed is English, to be pasted into an issue, and
names no id, address or key.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

from heygen_nb.errors import ApiError, NotFoundError
from heygen_nb.heygen import HeyGenClient
from heygen_nb.heygen.refusals import hint_for
from heygen_nb.heygen.wire import phase

_NOBODY = "heygen-nb-doctor-nobody"
_KNOWN = {  # words of looks
    "types": {"studio_avatar", "digital_twin", "photo_avatar"},
    "engines": {"avatar_iii", "avatar_iv", "avatar_v"},
    "statuses": {"completed", "processing", "pending_consent", "failed"},
}
_MOST_VIDEOS = 500
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)


async def live_report(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    """Yield what was looked at: whether it is as we read it, and what was seen."""
    for look in (_purse, _unknown_ids, _videos, _voices, _looks):
        try:
            async for line in look(client):
                yield line
        except ApiError as error:
            yield False, f"{look.__name__[1:]}: {error.code or type(error).__name__}"


async def _purse(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    balance = (await client.me()).balance
    unit = balance[1] if balance else "not told"
    yield unit in ("usd", "credits"), f"purse: {unit}"
    if now := client.server_time():
        apart = abs(now - datetime.now(UTC))
        yield apart < _CLOCKS_MAY_DIFFER, f"clock: {apart.total_seconds():.0f} s apart"
    else:
        yield False, "clock: no Date header"


async def _unknown_ids(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    for name, call, wanted in (
        ("video", client.get_video(_NOBODY), "video_not_found"),
        ("asset", client.get_asset(_NOBODY), "asset_not_found"),
        ("look", client.get_look(_NOBODY), "avatar_not_found"),
        ("voice", client.get_voice(_NOBODY), "voice_not_found"),
    ):
        code = "found"
        try:
            await call
        except NotFoundError as error:
            code = error.code or "404 without a code"
        except ApiError as error:
            code = f"{error.status} {error.code}"
        yield code == wanted, f"unknown {name}: {code}"
    words = {row.status for row in await client.video_statuses([_NOBODY])}
    yield words <= {"not_found"}, f"unknown video in bulk: {_told(words)}"


async def _videos(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    strangers = False
    async for _video in client.list_videos(title=_NOBODY):
        strangers = True
        break
    yield not strangers, "title filter: " + ("ignored" if strangers else "works")
    videos = []
    async for video in client.list_videos():
        videos.append(video)
        if len(videos) == _MOST_VIDEOS:
            break
    times = [video.created_at for video in videos if video.created_at]
    newest_first = times == sorted(times, reverse=True)
    yield newest_first, f"order of {len(videos)} videos: newest first {newest_first}"
    strange = {v.status for v in videos if phase(v.status) == "unknown"}
    yield not strange, f"unknown status words: {_told(strange)}"
    codes = {v.failure_code for v in videos if v.failure_code}
    unhelped = {code for code in codes if not hint_for(code)}
    yield not unhelped, f"failure codes without a hint: {_told(unhelped)}"
    done = [video for video in videos if phase(video.status) == "completed"]
    poor = sum(not (video.video_url and video.duration_s) for video in done)
    yield not poor, f"completed videos without link or length: {poor} of {len(done)}"


async def _voices(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    voices = [voice async for voice in client.list_voices()]
    starfish = [voice async for voice in client.list_voices(engine="starfish")]
    yield bool(starfish), f"voices: {len(voices)}, of them starfish {len(starfish)}"
    languages = Counter(voice.language or "" for voice in voices)
    spoken = {name: languages[name] for name in ("English", "Russian")}
    yield all(spoken.values()), f"voices by language: {spoken}"


async def _looks(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    looks = [look async for look in client.list_looks()]
    yield bool(looks), f"looks: {len(looks)}"
    found = {
        "types": {look.avatar_type for look in looks},
        "engines": {e for look in looks for e in look.supported_api_engines},
        "statuses": {look.status for look in looks if look.status},
    }
    for name, known in _KNOWN.items():
        strange = found[name] - known
        yield not strange, f"unknown {name} of looks: {_told(strange)}"
    for kind in sorted(_KNOWN["types"]):
        sets = Counter(
            "+".join(sorted(look.supported_api_engines)) or "none"
            for look in looks
            if look.avatar_type == kind
        )
        counts = ", ".join(f"{name} {count}" for name, count in sets.most_common())
        yield True, f"engines of {kind}: {counts or '-'}"
    shapes = (look.preferred_orientation or look.image_width for look in looks)
    shapeless = sum(not shape for shape in shapes)
    yield not shapeless, f"looks without orientation and size: {shapeless}"


def _told(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "none"
