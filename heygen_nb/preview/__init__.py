"""The animatic: a draft seen and heard on this machine, free and in seconds.

Files in, MP4 + SRT + JPEG out; nothing here knows HeyGen, drafts or the ledger.
``fetch`` (background pictures) is imported on its own: it needs httpx.
"""

from heygen_nb.preview.scene import Rendered, Scene, preview_batch, render_scene
from heygen_nb.preview.video import VideoFacts, make_thumbnail, probe_video, read_sound
from heygen_nb.preview.voice import EspeakVoice, Narration, Word

__all__ = [
    "EspeakVoice",
    "Narration",
    "Rendered",
    "Scene",
    "VideoFacts",
    "Word",
    "make_thumbnail",
    "preview_batch",
    "probe_video",
    "read_sound",
    "render_scene",
]
