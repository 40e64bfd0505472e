from pathlib import Path

import pytest

from activities.clients.secrets import SecretResolver
from pipelines.errors import Denied, SettingsError
from pipelines.spec import SecretRef
from pipelines.spec.pipeline import KubernetesSecret


def _resolve(reference: SecretRef, **environ: str) -> str:
    return SecretResolver(environ).resolve({"TOKEN": reference})["TOKEN"]


def test_nothing_is_asked_for() -> None:
    assert SecretResolver({}).resolve({}) == {}


def test_from_the_environment() -> None:
    assert _resolve(SecretRef(env="A"), A="value 1") == "value 1"


def test_from_the_workers_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_WORKER", "value")
    assert SecretResolver().resolve({"T": SecretRef(env="A_SECRET_OF_THE_WORKER")}) == {"T": "value"}


@pytest.mark.parametrize(
    ("content", "value"), [("value", "value"), ("value\n", "value"), ("a b\r\n", "a b"), ("two\nlines\n\n", "two\nlines\n")]
)
def test_from_a_file_without_the_editors_line_end(tmp_path: Path, content: str, value: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(content.encode())
    if len(value) < 4:
        pytest.raises(SettingsError, _resolve, SecretRef(file=str(path)))
    else:
        assert _resolve(SecretRef(file=str(path))) == value


def test_from_kubernetes() -> None:
    def read(secret: KubernetesSecret) -> str:
        return f"value of {secret.namespace}/{secret.name}/{secret.key}"

    reference = SecretRef(kubernetes=KubernetesSecret(namespace="ci", name="n", key="k"))
    assert SecretResolver({}, read).resolve({"T": reference}) == {"T": "value of ci/n/k"}


def test_kubernetes_without_a_cluster() -> None:
    reference = SecretRef(kubernetes=KubernetesSecret(name="n", key="k"))
    with pytest.raises(SettingsError, match="no cluster is configured") as raised:
        _resolve(reference)
    assert raised.value.remedy


@pytest.mark.parametrize("value", ["", "abc", "   a   ", "\n\n\n\n\n"])
def test_what_cannot_be_kept_out_of_logs_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="secret 'TOKEN' is empty or shorter") as raised:
        _resolve(SecretRef(env="A"), A=value)
    assert "abc" not in str(raised.value)


def test_zero_bytes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"ab\0cdef")
    with pytest.raises(SettingsError, match="zero byte") as raised:
        _resolve(SecretRef(file=str(tmp_path / "f")))
    assert "cdef" not in str(raised.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfd\xfc")
    for path, message in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file"), (tmp_path / "binary", "not UTF-8")):
        with pytest.raises(SettingsError, match=message) as raised:
            _resolve(SecretRef(file=str(path)))
        assert str(path) in str(raised.value)


@pytest.mark.parametrize("name", ["SWITCHYARD_DATABASE_URL", "TEMPORAL_API_KEY", "switchyard_web__token"])
def test_the_engines_own_settings_are_denied(name: str) -> None:
    with pytest.raises(Denied) as raised:
        _resolve(SecretRef(env=name), **{name: "a key of the house"})
    assert "house" not in str(raised.value)
