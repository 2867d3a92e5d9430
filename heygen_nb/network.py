"""How addresses are reached: proxies, certificates, and what is on this machine."""

import os
import ssl
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import httpx

from heygen_nb.errors import ConfigError
from heygen_nb.files import os_errors_as
from heygen_nb.i18n import gettext as _

_Client = TypeVar("_Client")
# of these failures the other side has seen nothing
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_FOLDER, _FILE = "SSL_CERT_DIR", "SSL_CERT_FILE"


def make_client(
    kind: Callable[..., _Client], *, local: bool = False, **options: object
) -> _Client:
    """Make an httpx client that reaches what this machine's browsers reach.

    Proxies come from the environment, certificates from the system's own store: a
    company's proxy that looks into TLS has its certificate there.

    Args:
        kind: Of client, such as ``httpx.AsyncClient``.
        local: What it asks is on this machine: no variable matters, no proxy can
            reach our loopback.
        **options: Of the client.

    Raises:
        ConfigError: A variable of the environment cannot be used; names it.
    """
    if local:
        return kind(trust_env=False, **options)
    # the client of language models is of another package
    packages = [sys.modules.get(name) for name in ("httpx", "httpx2")]
    invalid = [package.InvalidURL for package in packages if package]
    try:
        return kind(trust_env=True, verify=certificates(), **options)
    except (ImportError, ValueError, *invalid):
        env = os.environ
        names = [n for n in _PROXIES if env.get(n) or env.get(n.lower())]
        raise ConfigError(
            _("A proxy cannot be used as it is set in the environment: {names}."),
            hint=_(
                "A proxy is http://name:port or socks5://name:port; NO_PROXY is a "
                "list of host names. Correct the variable, or unset it."
            ),
            names=", ".join(names),  # not its value: it may hold a password
        ) from None


def trust_hint(error: BaseException | None) -> str:
    """Return what to do if it was the other side's certificate that was not trusted."""
    while error and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    hint = _(
        "A proxy that looks into TLS has a certificate of its own: put it into the "
        "system's store, or name its file in SSL_CERT_FILE."
    )
    return hint if error else ""


def certificates() -> ssl.SSLContext:
    """Return whom clients trust: what the environment names, else the system.

    Raises:
        ConfigError: The environment names what is not there, or no certificates.
    """
    given = {n: os.environ[n] for n in (_FILE, _FOLDER) if os.environ.get(n)}
    if not given:
        return _system_certificates()
    text = _("{name} in the environment names {file}: {reason}.")
    hint = _("It has to be a file or folder of certificates; or unset it.")
    for name, place in given.items():
        with os_errors_as(ConfigError, text, hint, name=name, file=place):
            Path(place).stat()  # folders are read later
            file, folder = given.get(_FILE), given.get(_FOLDER)
            context = ssl.create_default_context(cafile=file, capath=folder)
    return context


@cache
def _system_certificates() -> ssl.SSLContext:
    import certifi  # noqa: PLC0415
    import truststore  # noqa: PLC0415

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())  # a bare container has none
    return context
