# The public names: what is listed here is all there is, and is loaded on first use.

from .api import avatars as avatars
from .api import check_video as check_video
from .api import create_video as create_video
from .api import download_video as download_video
from .api import finish_video as finish_video
from .api import preview_batch as preview_batch
from .api import preview_draft as preview_draft
from .api import render_batch as render_batch
from .api import render_video as render_video
from .api import resume as resume
from .api import send_video as send_video
from .api import voices as voices
from .api import wait_video as wait_video
from .config import Settings as Settings
from .config import load_settings as load_settings
from .drafts import drafts_from as drafts_from
from .errors import HeygenNbError as HeygenNbError
from .models import Avatar as Avatar
from .models import Draft as Draft
from .models import Post as Post
from .models import Progress as Progress
from .models import Quote as Quote
from .models import Video as Video
from .models import Voice as Voice
from .renderer import VIDEO_CONFIG as VIDEO_CONFIG
from .renderer import update_video_config as update_video_config
from .reports import analytics as analytics
from .reports import history as history
from .ui.analytics import AnalyticsPanel as AnalyticsPanel
from .ui.display import run as run
from .ui.drafts import DraftsPanel as DraftsPanel
from .ui.generation import GenerationPanel as GenerationPanel
from .ui.history import HistoryPanel as HistoryPanel
from .ui.settings import SettingsPanel as SettingsPanel
from .ui.studio import Studio as Studio
from .writing import rewrite_draft as rewrite_draft
from .writing import write_drafts as write_drafts

__version__: str

def load_ipython_extension(shell: object) -> None: ...
