# What every environment has to do: each part is a cell of one kernel.
# %% API
import av
import heygen_nb as hg

settings = hg.load_settings()
assert settings.active_backend == "sandbox"
draft = hg.Draft(script="Hello! This film was made in one of many environments.")
assert (await hg.preview_draft(draft)).stat().st_size
lines = []
video = await hg.render_video(
    draft, progress_callback=lambda p: lines.append(p.message)
)
assert video.status == "completed", lines
assert (await hg.render_video(draft)).video_id == video.video_id  # not paid again
await hg.check_video(video)
assert (await hg.send_video(video, caption="Hello")).status == "sent"
assert await hg.voices()
assert await hg.avatars()
assert len(await hg.render_batch(hg.drafts_from([{"n": 1}], "Tip {{ n }}."))) == 1
assert len(hg.history()) == 2

# %% panels
for kind in (
    hg.DraftsPanel,
    hg.GenerationPanel,
    hg.SettingsPanel,
    hg.HistoryPanel,
    hg.AnalyticsPanel,
):
    panel = kind()
    await panel.idle()
    assert not panel.told or "❌" not in panel.told, (kind, panel.told)
studio = hg.Studio()
await studio.idle()


async def settle():
    for panel in (studio, *studio.panels.values()):
        await panel.idle()


for index in range(5):
    studio.tabs.selected_index = index
    await settle()
studio

# %% clicks
from datetime import UTC, datetime

import ipywidgets


def upload(button, name, content):
    if ipywidgets.__version__.startswith("7."):
        button.metadata, button.data = [{"name": name}], [content]
        button._counter += 1
    else:
        file = {"name": name, "type": "", "size": len(content), "content": content}
        button.set_trait("value", ({**file, "last_modified": datetime.now(UTC)},))


def click(panel, words):
    """Press the button that says this."""
    inside = [panel]
    for widget in inside:
        inside += getattr(widget, "children", ())
    [button] = [w for w in inside if getattr(w, "description", "") == words]
    button.click()


drafts = studio.panels[hg.DraftsPanel]
studio.tabs.selected_index = 0
upload(drafts.u_import, "brought.md", b"---\ntitle: Brought\n---\nA film from a file.")
await settle()
assert "Brought" in str(drafts.list.s_drafts.options)
upload(drafts.u_import, "twice.md", b"---\ntitle: Twice\n---\nAnother from a file.")
await settle()
assert "Twice" in str(drafts.list.s_drafts.options)

await drafts.new()
drafts.t_title.value = "Typed"
drafts.t_script.value = "This script was typed and its video was asked for by a click."
await settle()
click(drafts, "🎬 Create video")
await settle()
generation = studio.panels[hg.GenerationPanel]
for job in studio.shared.jobs.all:
    await job.task
await settle()
newest = hg.history(limit=1)[0]
assert newest["status"] == "completed", newest

studio.tabs.selected_index = 3
await settle()
history = studio.panels[hg.HistoryPanel]
history.s_videos.value = [history.lines[0].render_id]
await settle()
click(history, "📱 Send to Telegram")
await settle()
assert hg.history(limit=1)[0]["sent"] is True, history.told

# %% film
with av.open(str(newest["path"])) as film:
    assert next(film.decode(video=0)).width
    assert {stream.codec_context.name for stream in film.streams} == {"h264", "aac"}
video
