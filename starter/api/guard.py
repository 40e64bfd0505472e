"""Who may do what over HTTP, decided before any route is looked for, so that no page or button can forget it.

- Webhooks and health checks are open here; webhooks prove themselves by their signature.
- Every other write needs `Authorization: Bearer TOKEN`. Only that: a browser sends it never by itself, so that no other site
  can make a visitor's browser write (no cookies, no CORS).
- Reading needs nothing while the server listens on this machine alone. The Host header must then name this machine or the
  public URL's host, or any web page could read through a name that it lets point to 127.0.0.1 (DNS rebinding).
- Reading needs the token as well when the server listens to others: as Bearer, or, for browsers, as the password of HTTP Basic
  with any user name.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.errors import SwitchyardError
from pipelines.settings import Settings
from starter.api.problems import of_error, problem, too_large
from starter.api.site import Site

OPEN = ("/webhooks/", "/healthz", "/readyz", "/static/")
SAFE = ("GET", "HEAD", "OPTIONS")
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site
        self._private = is_loopback(site.settings.web.host)
        self._hosts = known_hosts(site.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            refused = await self._refusal(scope)
        except SwitchyardError as error:
            refused = of_error(error)
        await (refused or self._app)(scope, receive, secured)

    async def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if _length(headers) > self._site.settings.web.max_body:
            return too_large()
        if scope["path"].startswith(OPEN):
            return None
        if scope["method"] not in SAFE:
            return await self._without(bearer(headers), "writing", "Bearer")
        if not self._private:
            return await self._without(bearer(headers) or basic(headers), "reading", 'Basic realm="Switchyard"')
        if host_name(headers.get("host", "")) in self._hosts:
            return None
        return await self._without(bearer(headers), "reading by that host name", "Bearer")

    async def _without(self, given: str, what: str, challenge: str) -> ASGIApp | None:
        """None when `given` is the token, else the answer 401."""
        token = await self._site.token()
        if token and hmac.compare_digest(given.encode(), token.encode()):
            return None
        file = self._site.settings.state_dir / "token" if self._private else "the server's state directory"
        where = f"it is in {file}" if token else "'switchyard up' makes one"
        remedy = f"Send 'Authorization: Bearer TOKEN'; {where}, or set SWITCHYARD_WEB__TOKEN"
        why = "no token is configured" if not token else "the token is wrong" if given else "no token was sent"
        return problem(401, f"{what} needs the token: {why}", remedy, {"WWW-Authenticate": challenge})


def _length(headers: Headers) -> int:
    """What the sender says; a body without it is counted while it is read, by Starlette."""
    said = headers.get("content-length", "0")
    return int(said) if said.isdecimal() else 0


def bearer(headers: Headers) -> str:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def basic(headers: Headers) -> str:
    """The password of HTTP Basic; '' when there is none."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """Without the port, lower case; of an IPv6 address without its brackets."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def known_hosts(settings: Settings) -> frozenset[str]:
    public = urlsplit(settings.web.public_url).hostname or ""
    return frozenset({"localhost", "127.0.0.1", "::1", settings.web.host.lower(), public} - {""})
