"""No secret is in a log, however the output is cut into pieces."""

import base64
import json
import tempfile
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.steps.masking import LEAST, MASK, Masker
from activities.steps.steplog import StepLog

SECRETS = st.text(alphabet='abAB12 /+=%"\\é\n€_-.', min_size=LEAST, max_size=40).filter(lambda text: len(text.strip()) >= LEAST)
NOISE = st.text(alphabet='abAB12 /+=%"\\é\n\r\tghp_', max_size=60)


def _forms(secret: str) -> list[str]:
    raw = secret.encode()
    return [
        secret,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        base64.b64encode(raw + b"\n").decode(),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        raw.hex(),
    ]


def _lines_of(form: str) -> list[bytes]:
    """What may not be found: whole lines of the form, as far as they are long enough to be looked for."""
    return [line.encode() for line in form.splitlines() if len(line.strip()) >= LEAST]


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in zip(marks, marks[1:], strict=False)]


def _written(masker: Masker, pieces: list[bytes], flushes: set[int]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        log = StepLog(path, masker)
        for number, piece in enumerate(pieces):
            log.feed(piece)
            if number in flushes:
                log.flush()
        log.close()
        return path.read_bytes()


def _joined(written: bytes) -> bytes:
    """The text without timestamps; what was written in parts is one line again."""
    text = b""
    for line in written.split(b"\n")[:-1]:
        stamp, mark, rest = line[:24], line[24:25], line[25:]
        assert stamp.endswith(b"Z") and mark in (b" ", b"+"), line
        text += rest if mark == b"+" else b"\n" + rest
    return text


@settings(max_examples=300, deadline=None)
@given(
    st.data(), st.lists(SECRETS, min_size=1, max_size=3), st.lists(st.integers(0, 400), max_size=12), st.sets(st.integers(0, 12))
)
def test_no_secret_in_any_log(data: st.DataObject, secrets: list[str], places: list[int], flushes: set[int]) -> None:
    parts: list[str] = []
    said: list[str] = []
    for secret in secrets:
        form = data.draw(st.sampled_from(_forms(secret)))
        said.append(form)
        parts += [data.draw(NOISE), form]
    output = "".join([*parts, data.draw(NOISE)]).encode()
    written = _joined(_written(Masker(secrets), _cut(output, places), flushes))
    for form in said:
        for line in _lines_of(form):
            if line.strip(b"*"):
                assert line not in written


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="xyz \n", max_size=300), st.lists(st.integers(0, 300), max_size=12), st.sets(st.integers(0, 12)))
def test_what_is_no_secret_is_all_there(output: str, places: list[int], flushes: set[int]) -> None:
    written = _joined(_written(Masker(["a-secret-value"]), _cut(output.encode(), places), flushes))
    whole = output if output.endswith("\n") or not output else output + "\n"
    assert (written + b"\n").decode() == "\n" + whole


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("after", ["", "!", "!!"])
def test_base64_of_a_secret_inside_of_something(before: str, after: str) -> None:
    secret = "the-secret-value-itself"
    encoded = base64.b64encode(f"{before}{secret}{after}".encode())
    shown = Masker([secret]).text(b"basic " + encoded)
    assert MASK in shown
    assert len(shown) < len(b"basic " + MASK) + 12, shown


def test_base64_wrapped_in_lines() -> None:
    secret = "".join(chr(97 + (7 * n) % 26) for n in range(300))
    shown = Masker([secret]).lines(base64.encodebytes(secret.encode()))
    assert shown.replace(MASK, b"").strip() == b""


def test_each_line_of_a_key_is_masked() -> None:
    secret = "-----BEGIN THING-----\nabcdefgh\nijklmnop\n}\n-----END THING-----"
    assert Masker([secret]).lines(b"got ijklmnop and }\n") == b"got *** and }\n"


def test_of_secrets_that_overlap_no_end_is_left() -> None:
    assert Masker(["secret-one", "one-more"]).text(b"<secret-one-more>") == b"<***>"
    assert Masker(["secret", "secret-longer"]).text(b"<secret-longer>") == b"<***>"


TOKENS = [
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "A1b2_" * 6,
    "glpat-" + "abcdefghij0123456789",
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "xoxb-" + "123456789012-abcdef",
    "npm_" + "a" * 36,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-DEF_123",
]


@pytest.mark.parametrize("token", TOKENS)
def test_well_known_tokens_are_masked_unasked(token: str) -> None:
    assert Masker().text(f"token={token}; next".encode()) == b"token=***; next"


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_token_is_not_torn_apart(token: str, cut: int) -> None:
    line = f"say {token}\n".encode()
    written = _joined(_written(Masker(), [line[:cut], line[cut:]], {0}))
    assert written == b"\nsay ***"


def test_passwords_in_addresses() -> None:
    assert Masker().text(b"clone https://me:hunter2@example.org/x") == b"clone https://me:***@example.org/x"
    assert Masker().text(b"see https://example.org:8080/x@y") == b"see https://example.org:8080/x@y"


def test_private_keys_are_masked_unasked() -> None:
    key = b"a\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----\nb\n"
    for pieces in ([key], [key[:9], key[9:30], key[30:40], key[40:]]):
        written = _joined(_written(Masker(), pieces, {0, 1, 2, 3}))
        assert b"MII" not in written and b"IBA" not in written
        assert written.startswith(b"\na\n") and written.endswith(b"\nb")


def test_a_line_without_an_end_does_not_grow_for_ever(tmp_path: Path) -> None:
    secret = "aaaa-secret"
    log = StepLog(tmp_path / "log", Masker([secret, "aaaaaaaa"]))
    for _ in range(40):
        log.feed(b"a" * 8000 + secret.encode() + b"b" * 3000)
        assert len(log._partial) <= 80_000
    log.close()
    written = (tmp_path / "log").read_bytes()
    assert secret.encode() not in _joined(written)
    assert written.count(b"b") == 40 * 3000


def test_masking_is_fast_enough() -> None:
    import time

    masker = Masker(["a-secret-value-" + str(n) for n in range(20)])
    block = b"".join(b"line %d of a build that says a lot of things to be read by nobody at all\n" % n for n in range(10_000))
    began = time.perf_counter()
    assert masker.lines(block) == block
    assert time.perf_counter() - began < 5
