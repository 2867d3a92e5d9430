# The public names: what is listed here is all there is, and is loaded on first use.

from .api import (
    avatars as avatars,
    check_video as check_video,
    create_video as create_video,
    download_video as download_video,
    finish_video as finish_video,
    preview_batch as preview_batch,
    preview_draft as preview_draft,
    render_batch as render_batch,
    render_video as render_video,
    resume as resume,
    send_video as send_video,
    voices as voices,
    wait_video as wait_video,
)
from .config import Settings as Settings, load_settings as load_settings
from .drafts import drafts_from as drafts_from
from .errors import HeygenNbError as HeygenNbError
from .models import (
    Avatar as Avatar,
    Draft as Draft,
    Post as Post,
    Progress as Progress,
    Quote as Quote,
    Video as Video,
    Voice as Voice,
)
from .renderer import (
    VIDEO_CONFIG as VIDEO_CONFIG,
    update_video_config as update_video_config,
)
from .reports import analytics as analytics, history as history
from .ui.analytics import AnalyticsPanel as AnalyticsPanel
from .ui.display import run as run
from .ui.drafts import DraftsPanel as DraftsPanel
from .ui.generation import GenerationPanel as GenerationPanel
from .ui.history import HistoryPanel as HistoryPanel
from .ui.settings import SettingsPanel as SettingsPanel
from .ui.studio import Studio as Studio
from .writing import rewrite_draft as rewrite_draft, write_drafts as write_drafts

__version__: str

def load_ipython_extension(shell: object) -> None: ...
