"""Seeing and hearing a draft before it is paid for, on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from heygen_nb import preview
from heygen_nb.config import Settings
from heygen_nb.drafts import check_draft
from heygen_nb.errors import HeygenNbError
from heygen_nb.files import file_stem, write_whole
from heygen_nb.log import log
from heygen_nb.models import Draft, is_loopback, short_id
from heygen_nb.renderer.background import background_source
from heygen_nb.renderer.finish import in_other_process
from heygen_nb.renderer.resolve import about_captions, picture_and_sound, revision_of
from heygen_nb.timing import SpeechModel, script_language

FAST_PX, SHARE_PX = 720, 1080
PREVIEWS, LOOKS = "previews", ".looks"


async def make_preview(
    draft: Draft, settings: Settings, output: Path
) -> preview.VideoFacts:
    """Make the animatic of a draft: MP4, and SRT and JPEG beside it.

    Args:
        draft: What is said.
        settings: Effective settings for this draft.
        output: The MP4.

    Raises:
        DraftError: The script cannot be spoken.
        PreviewError: The video could not be made.
    """
    scene = await scene_of(draft, settings, FAST_PX)
    made: preview.VideoFacts = await in_other_process(
        preview.render_scene, scene, output
    )
    return made


async def kept_preview(draft: Draft, settings: Settings) -> Path:
    """Return the animatic of a draft as it is, made once; older ones are deleted.

    Raises:
        HeygenNbError: See :func:`make_preview`.
    """
    inputs = await asyncio.to_thread(picture_and_sound, draft, settings)
    folder = settings.home / PREVIEWS
    # Browsers keep files by name: another content needs another one.
    path = folder / f"{file_stem(draft.id)}-{revision_of(inputs)[:8]}.mp4"
    if not path.exists():
        for old in folder.glob(f"{draft.id}-*"):
            old.unlink(missing_ok=True)
        await make_preview(draft, settings, path.absolute())
    return path


async def scene_of(
    draft: Draft, settings: Settings, short_side_px: int
) -> preview.Scene:
    """Return what the animatic shows for a draft under these settings.

    Raises:
        DraftError: The script cannot be spoken.
        PreviewError: There is no picture at the background's address.
        ConfigError: The background is a file that is no picture.
    """
    check_draft(draft)
    for warning in about_captions(draft.script, settings):
        log.warning("%s", warning)
    inputs = await asyncio.to_thread(picture_and_sound, draft, settings)
    script, said = inputs["script"], inputs.get("said", "")
    background = await background_source(
        settings.heygen_background_url, settings.home, moving=settings.films_here
    )
    language, target_s = script_language(script), settings.video_duration
    length = SpeechModel().fit(said or script, target_s, language=language)
    look = await _look_picture(settings)
    # its own scene fills the canvas; before a background the look stands by itself
    fit = "cover" if settings.fit == "auto" else settings.fit
    return preview.Scene(
        script=script,
        said=said,
        speed=length.speed,
        aspect_ratio=settings.aspect_ratio,
        short_side_px=short_side_px,
        background=background,
        use_avatar=settings.heygen_use_avatar,
        avatar_image=look,
        fit=fit if look and background is None else "",
        captions=settings.captions != "off",
        bars=settings.heygen_use_avatar or settings.voice_bars,
    )


async def _look_picture(settings: Settings) -> Path | None:
    """Return the avatar's picture, fetched once; None has a person drawn.

    The sandbox is not started for it: a preview is to be there in seconds.
    """
    if not settings.heygen_use_avatar or settings.active_backend == "sandbox":
        return None
    # The client and the ledger take longer to load than most previews to make.
    from heygen_nb.heygen import HeyGenClient  # noqa: PLC0415
    from heygen_nb.renderer.account import payer_of, session_of  # noqa: PLC0415
    from heygen_nb.renderer.catalogue import find_look  # noqa: PLC0415

    try:
        payer, key, _sandbox = payer_of(settings)
        name = f"{payer.fingerprint} {settings.heygen_avatar_id}"
        kept = settings.home / LOOKS / f"{short_id(name)}.img"
        if not kept.exists():
            address = settings.heygen_base_url
            async with HeyGenClient(
                key, base_url=address, renewed=session_of(settings), max_retries=0
            ) as client:
                look = await find_look(client, settings.heygen_avatar_id)
            content = await preview.fetch_image(
                look.preview_image_url or "", allow_private=is_loopback(address)
            )
            write_whole(kept, content)
    except (HeygenNbError, OSError) as error:
        log.warning("%s", error)  # offline, or no picture: a person is drawn
        return None
    return kept
