"""Clone URLs: what is let through, what is shown, what submodules may name."""

import pytest

from activities.clients.clone_url import CloneUrl, hidden
from pipelines.errors import SourceError


@pytest.mark.parametrize(
    ("text", "clean", "protocol"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r.git", "https"),
        ("https://git.example:8443/o/r", "https://git.example:8443/o/r", "https"),
        ("https://bot:tok%40en@github.com/o/r.git", "https://github.com/o/r.git", "https"),
        ("https://token@github.com/o/r.git", "https://github.com/o/r.git", "https"),
        ("https://[::1]:8443/r.git", "https://[::1]:8443/r.git", "https"),
        ("ssh://git@github.com:22/o/r.git", "ssh://git@github.com:22/o/r.git", "ssh"),
        ("ssh://git:secret@github.com/o/r.git", "ssh://git@github.com/o/r.git", "ssh"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git", "ssh"),
        ("github.com:o/r.git", "github.com:o/r.git", "ssh"),
        ("file:///srv/r.git", "file:///srv/r.git", "file"),
        ("/srv/my repos/r", "/srv/my repos/r", "file"),
    ],
)
def test_allowed_urls_and_what_is_shown_of_them(text: str, clean: str, protocol: str) -> None:
    found = CloneUrl.parse(text)
    assert (found.clean, found.protocol) == (clean, protocol)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-oProxyCommand=touch /tmp/x",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "fd::17",
        "https::https://github.com/o/r",
        "http://github.com/o/r.git",
        "git://github.com/o/r.git",
        "ftp://github.com/r",
        "ssh://-oProxyCommand=x/r.git",
        "ssh://-oProxyCommand=x@host/r.git",
        "-oProxyCommand=x:path",
        "git@host:-oProxyCommand",
        "relative/path",
        "../up",
        "file://otherhost/srv/r.git",
        "https:///nohost",
        "https://host:port/x",
        "https://host/x?y=1",
        "https://host/x#y",
        "https://host/a\nb",
        "/srv/r\0.git",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        CloneUrl.parse(text)


def test_a_login_is_kept_apart_and_never_shown() -> None:
    found = CloneUrl.parse("https://bot:s3cr%2Fet@github.com/o/r.git")
    assert (found.user, found.password) == ("bot", "s3cr/et")
    assert "s3cr" not in repr(found)
    assert "bot" not in repr(found)


def test_a_refused_url_is_shown_without_its_login() -> None:
    with pytest.raises(SourceError) as refused:
        CloneUrl.parse("http://bot:s3cret@host/r")
    assert "s3cret" not in str(refused.value)
    assert "host/r" in str(refused.value)


def test_hidden_takes_logins_out_of_any_text() -> None:
    assert hidden("fatal: unable to access 'https://a:b@h/r' and ssh://git@x/y") == (
        "fatal: unable to access 'https://h/r' and ssh://x/y"
    )


@pytest.mark.parametrize(
    ("base", "relative", "expected"),
    [
        ("https://h/o/r.git", "../lib.git", "https://h/o/lib.git"),
        ("https://h/o/r.git", "../../x/lib.git", "https://h/x/lib.git"),
        ("https://h/o/r.git", "./sub.git", "https://h/o/r.git/sub.git"),
        ("https://h/o/r.git/", "../lib.git", "https://h/o/lib.git"),
        ("git@h:o/r.git", "../lib.git", "git@h:o/lib.git"),
        ("git@h:r.git", "../lib.git", "git@h:lib.git"),
        ("file:///srv/r", "../lib", "file:///srv/lib"),
        ("/srv/r", "../lib", "/srv/lib"),
        ("/srv/r", "/srv/other", "/srv/other"),
        ("https://h/o/r.git", "ssh://git@h/lib.git", "ssh://git@h/lib.git"),
    ],
)
def test_submodules_are_relative_to_their_superproject(base: str, relative: str, expected: str) -> None:
    assert CloneUrl.parse(base).submodule(relative).clean == expected


@pytest.mark.parametrize("url", ["file:///etc", "/etc", "ext::sh", "../../../..", "http://h/x", "-x"])
def test_a_repository_from_the_network_cannot_name_files_of_this_host(url: str) -> None:
    with pytest.raises(SourceError):
        CloneUrl.parse("https://h/o/r.git").submodule(url)


def test_a_submodule_gets_the_login_of_its_own_host_only() -> None:
    base = CloneUrl.parse("https://bot:token@h/o/r.git")
    assert base.submodule("../lib.git").password == "token"
    assert base.submodule("https://h/x/lib.git").password == "token"
    assert base.submodule("https://other/lib.git").password == ""
    assert base.submodule("ssh://h/lib.git").password == ""
