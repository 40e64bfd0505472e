"""Logins over a real TLS connection: the repository's host gets them, nothing else does."""

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from activities.clients.clone_url import CloneUrl
from activities.clients.git import Mirrors
from pipelines.errors import SourceError
from tests.support.components import program
from tests.support.repos import Repo

LOGIN = "Basic " + base64.b64encode(b"bot:s3cr/et").decode()


@dataclass
class Server:
    """A repository behind TLS and a login. `seen`: the Authorization headers that came."""

    port: int
    seen: list[str | None] = field(default_factory=list)

    def url(self, login: str = "") -> CloneUrl:
        return CloneUrl.parse(f"https://{login}127.0.0.1:{self.port}/r.git")


class Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: object, seen: list[str | None], **more: object) -> None:
        self.seen = seen
        super().__init__(*arguments, **more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        self.seen.append(given)
        if given == LOGIN:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    repo = Repo(tmp_path / "origin")
    repo.commit({"a.txt": "secret source"})
    repo.git("clone", "-q", "--bare", repo.url, str(tmp_path / "served/r.git"))
    subprocess.run(["git", "update-server-info"], cwd=tmp_path / "served/r.git", check=True)
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    found = Server(0)
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, seen=found.seen, directory=str(tmp_path / "served")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    found.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    yield found
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def sha(tmp_path: Path, server: Server) -> str:
    found = subprocess.run(
        ["git", "rev-parse", "main"], cwd=tmp_path / "served/r.git", check=True, capture_output=True, text=True
    )
    return found.stdout.strip()


def test_the_login_of_the_url_is_used_and_not_kept(server: Server, sha: str, tmp_path: Path) -> None:
    mirror = Mirrors(tmp_path / "mirrors").having(server.url("bot:s3cr%2Fet@"), sha)
    assert mirror.read(sha, "a.txt") == b"secret source"
    assert LOGIN in server.seen
    kept = b"".join(path.read_bytes() for path in mirror.path.rglob("*") if path.is_file())
    assert b"s3cr" not in kept
    assert b"s3cr" not in os.fsencode(mirror.path)


def test_another_login_for_the_same_repository_uses_the_same_mirror(server: Server, sha: str, tmp_path: Path) -> None:
    mirrors = Mirrors(tmp_path / "mirrors")
    first = mirrors.having(server.url("bot:s3cr%2Fet@"), sha)
    assert mirrors.having(server.url("bot:rotated@"), sha).path == first.path


@pytest.mark.parametrize("login", ["", "bot:wrong-s3cr@"])
def test_a_refused_login_is_said_without_it(server: Server, sha: str, tmp_path: Path, login: str) -> None:
    with pytest.raises(SourceError) as refused:
        Mirrors(tmp_path / "mirrors").having(server.url(login), sha)
    assert "wrong-s3cr" not in str(refused.value)
    assert "may read the repository" in refused.value.remedy


def test_no_login_goes_to_another_host(server: Server, sha: str, tmp_path: Path) -> None:
    other = server.url("bot:s3cr%2Fet@").submodule(f"https://localhost:{server.port}/r.git")
    with pytest.raises(SourceError, match="localhost"):
        Mirrors(tmp_path / "mirrors").having(other, sha)
    assert set(server.seen) == {None}
