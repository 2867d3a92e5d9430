# What others use of the previews; each is loaded on first use.

from .drawing import open_image as open_image, undrawable as undrawable
from .fetch import fetch_image as fetch_image, fetch_sound as fetch_sound
from .scene import (
    Scene as Scene,
    render_apart as render_apart,
    render_scene as render_scene,
)
from .video import (
    VideoFacts as VideoFacts,
    check_film as check_film,
    make_thumbnail as make_thumbnail,
    pictures_at as pictures_at,
    probe_video as probe_video,
    read_sound as read_sound,
    small_jpeg as small_jpeg,
    stretched as stretched,
)
from .voice import EspeakVoice as EspeakVoice, Narration as Narration, Word as Word
