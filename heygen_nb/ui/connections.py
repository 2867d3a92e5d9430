"""Keys, chat and script model: who is spoken to, and whether that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.ui._base import make, shared_layout
from heygen_nb.ui.markup import failure_html, markup, money_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heygen_nb.ui._base import Panel


class Connections(widgets.VBox):
    """The cards of HeyGen, Telegram and the script model. Keys are never shown.

    Args:
        panel: Whose part it is.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        cards = (self._heygen_card(), self._telegram_card(), self._script_card())
        super().__init__(cards, layout=shared_layout())
        self.secrets: dict[str, widgets.Password] = {
            "heygen_api_key": self.p_heygen_key,
            "telegram_bot_token": self.p_bot_token,
            "script_api_key": self.p_script_key,
        }
        self.fields: dict[str, widgets.Widget] = {
            "telegram_chat_id": self.t_chat,
            "telegram_auto_send": self.c_auto_send,
            "script_model": self.t_script_model,
        }

    def _heygen_card(self) -> widgets.VBox:
        panel = self._panel
        self.p_heygen_key = panel.field(widgets.Password, lambda: _("HeyGen API key"))
        self.heygen_state = make(widgets.HTML)
        return _card(
            panel.heading(lambda: _("🔑 HeyGen")),
            self.p_heygen_key,
            self.heygen_state,
            panel.button(lambda: _("Test connection"), self.test_heygen),
        )

    def _telegram_card(self) -> widgets.VBox:
        panel = self._panel
        self.p_bot_token = panel.field(
            widgets.Password, lambda: _("Telegram bot token")
        )
        self.t_chat = panel.field(widgets.Text, lambda: _("Chat"))
        self.c_auto_send = panel.field(
            widgets.Checkbox,
            lambda: _("Send each video by itself"),
            "hg-check",
            indent=False,
        )
        self.telegram_state = make(widgets.HTML)
        return _card(
            panel.heading(lambda: _("📱 Telegram")),
            self.p_bot_token,
            self.t_chat,
            panel.hint(lambda: _("Such as @my_channel or -1001234567890")),
            self.c_auto_send,
            self.telegram_state,
            panel.button(lambda: _("Test connection"), self.test_telegram),
        )

    def _script_card(self) -> widgets.VBox:
        panel = self._panel
        self.t_script_model = panel.field(
            widgets.Text, lambda: _("Script model (optional)")
        )
        self.p_script_key = panel.field(
            widgets.Password, lambda: _("Key of the script model")
        )
        return _card(
            panel.heading(lambda: _("✍️ Script writing")),
            self.t_script_model,
            panel.hint(
                lambda: _(
                    "A model at {address}. Another server: set"
                    " HEYGEN_NB_SCRIPT_BASE_URL. Empty: ready formats only"
                ).format(address=panel.desk.settings.script_base_url)
            ),
            self.p_script_key,
        )

    def show_states(self) -> None:
        """Tell which keys are there."""
        for key, field in self.secrets.items():
            is_set = getattr(self._panel.desk.settings, key) is not None
            field.placeholder = _("●●●●●●●● set") if is_set else _("not set")

    async def save_secrets(self) -> None:
        """Keep the keys that were typed, and empty their fields.

        Raises:
            ConfigError: What was typed cannot be a key.
        """
        for key, field in self.secrets.items():
            if field.value:
                secret, field.value = field.value, ""
                await self._panel.desk.save_secret(key, secret.strip())

    async def test_heygen(self) -> None:
        """Ask HeyGen for the balance and show it."""
        await _test(self.heygen_state, self._heygen_works)

    async def test_telegram(self) -> None:
        """Ask Telegram for bot and chat and show them."""
        await _test(self.telegram_state, self._panel.desk.check_chat)

    async def _heygen_works(self) -> str:
        return money_text(await self._panel.desk.balance()) or _("balance not told")


async def _test(state: widgets.HTML, probe: Callable[[], Awaitable[str]]) -> None:
    state.value = markup(_("Testing…"), "hg-hint")
    try:
        found = await probe()
    except HeygenNbError as error:
        state.value = failure_html(error.message, error.hint, None)
    else:
        state.value = markup(_("✓ works · {what}").format(what=found), "ok")


def _card(*children: widgets.Widget) -> widgets.VBox:
    return make(widgets.VBox, "hg-card", children=children)
