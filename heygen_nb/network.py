"""How addresses are reached: proxies, certificates, and what is on this machine."""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable

_Client = TypeVar("_Client")
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


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
    try:
        return kind(trust_env=True, verify=certificates(), **options)
    except _refusals():
        names = [name for name in _PROXIES if _value_of(name)]
        raise ConfigError(
            _(
                "A proxy cannot be used as it is set in the environment: {names}."
            ).format(
                names=", ".join(names)  # not its value: it may hold a password
            ),
            hint=_(
                "A proxy is http://name:port or socks5://name:port; NO_PROXY is a "
                "list of host names. Correct the variable, or unset it."
            ),
        ) from None


def _refusals() -> tuple[type[Exception], ...]:
    """Return what clients raise; that of language models is of another package."""
    packages = [sys.modules.get(name) for name in ("httpx", "httpx2")]
    return (ImportError, ValueError, *(p.InvalidURL for p in packages if p))


def distrusted(error: BaseException | None) -> bool:
    """Tell whether it was the other side's certificate that ended a connection."""
    while error and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def trust_hint() -> str:
    """Return what to do when a certificate is not trusted."""
    return _(
        "A proxy that looks into TLS has a certificate of its own: put it into the "
        "system's store, or name its file in SSL_CERT_FILE."
    )


def _value_of(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.lower(), "")


def certificates() -> ssl.SSLContext:
    """Return whom clients trust: what the environment names, else the system.

    Raises:
        ConfigError: The environment names what is not there, or no certificates.
    """
    file, folder = (os.environ.get(name) or None for name in _CERTIFICATES)
    for name, named in zip(_CERTIFICATES, (file, folder), strict=True):
        if named and not Path(named).exists():
            raise _bad_certificates(name, named, _("it is not there"))
    if not file and not folder:
        return _system_certificates()
    try:
        return ssl.create_default_context(cafile=file, capath=folder)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise _bad_certificates(_CERTIFICATES[0], str(file), reason) from None


def _bad_certificates(name: str, named: str, reason: str) -> ConfigError:
    return ConfigError(
        _("{name} in the environment names {file}: {reason}.").format(
            name=name, file=named, reason=reason
        ),
        hint=_("It has to be a file or folder of certificates; or unset it."),
    )


@cache
def _system_certificates() -> ssl.SSLContext:
    import certifi  # noqa: PLC0415
    import truststore  # noqa: PLC0415

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())  # a bare container has none
    return context
