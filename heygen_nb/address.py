"""Addresses: where a key or token may be sent, and how one is shown."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _


def check_address(url: str) -> str:
    """Return the address if a secret may be sent there.

    Raises:
        ConfigError: It is not https (http is fine on this machine only), holds a
            name or password, which would be shown, or is no address at all.
    """
    try:
        parts = urlsplit(url)
        port_fits = parts.port != 0 and parts.username is None
    except ValueError:
        port_fits = False
    if not port_fits or not parts.hostname or not url.isprintable() or " " in url:
        raise ConfigError(
            # not shown: it may be a key that was pasted into the wrong line
            _("The address of the server is not a web address."),
            hint=_("It looks like https://api.example.com."),
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise ConfigError(
            _("{host} is not safe: a key is only sent over https.").format(
                host=parts.hostname
            ),
            hint=_("Plain http is for this machine only (127.0.0.1)."),
        )
    return url


_PASSWORD = re.compile(r"(://[^:/@\s]*):[^\s]*@")
_PASSWORD_KEY = re.compile(r"(?i)([?&](?:password|passwd|pwd|sslpassword)=)[^&\s]+")


def masked(url: str) -> str:
    """Return an address with ``***`` for a password in it."""
    return _PASSWORD_KEY.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))


def is_loopback(url: str) -> bool:
    """Tell whether the address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
