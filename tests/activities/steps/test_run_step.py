"""A step that nothing happens to: what it gets, what is recorded, what is refused."""

import asyncio
import stat
from pathlib import Path

import pytest

from pipelines.errors import Denied, SettingsError, SpecError, WorkspaceLost
from pipelines.messages.common import Status
from pipelines.spec import SecretRef
from tests.support.steps import Host, alive, eventually


async def test_a_command_that_passes(host: Host) -> None:
    result = await host.run("echo hello; echo oops >&2", name="Greet")
    assert (result.status, result.exit_code, result.title, result.reused) == (Status.passed, 0, "Greet", False)
    assert host.log(result) == "hello\noops"
    assert 0 < result.started_at <= result.finished_at
    assert result.max_rss > 100_000
    assert result.message == ""


async def test_a_command_that_fails_says_its_last_words(host: Host) -> None:
    result = await host.run("echo first; printf '\\033[31merror: no such thing\\033[0m\\n\\n'; exit 3")
    assert (result.status, result.exit_code) == (Status.failed, 3)
    assert result.message == "exit status 3: error: no such thing"
    assert "\033[31m" in host.log(result)


async def test_bash_stops_at_the_first_error_also_in_a_pipe(host: Host) -> None:
    assert (await host.run("false | cat; echo not reached", key="a")).status == Status.failed
    assert (await host.run("echo $undefined_variable", key="b")).status == Status.failed
    assert (await host.run("false | cat; echo reached", key="c", shell="sh")).status == Status.passed


async def test_a_signal_is_told(host: Host) -> None:
    result = await host.run("echo bye; kill -SEGV $$")
    assert result.exit_code == -11
    assert result.message == "ended by SIGSEGV: bye"


async def test_cpu_seconds_count(host: Host) -> None:
    result = await host.run("i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done")
    assert 0.02 < result.cpu_seconds < 30


async def test_the_environment_is_scrubbed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "do not inherit")
    result = await host.run("env", env={"FROM_STAGE": "1", "CI": "yes"})
    seen = dict(line.split("=", 1) for line in host.log(result).splitlines() if "=" in line)
    shells_own = {"PWD", "SHLVL", "_"}
    expected = {"PATH", "LANG", "TERM", "CI", "HOME", "TMPDIR", "FROM_STAGE"}
    assert {name for name in seen if not name.startswith("SWITCHYARD_")} - shells_own == expected
    assert (seen["CI"], seen["TERM"], seen["SWITCHYARD_RUN"], seen["SWITCHYARD_STAGE"]) == ("yes", "dumb", "run", "build")


async def test_home_and_tmp_are_private_and_go(host: Host) -> None:
    result = await host.run(
        "touch ~/a $TMPDIR/b; mkdir ~/locked; touch ~/locked/c; chmod 500 ~/locked; stat -c %a ~/..; echo $HOME"
    )
    mode, home = host.log(result).splitlines()
    assert mode == "700"
    assert result.status == Status.passed
    assert not Path(home).exists()
    assert len(home) < len(str(host.layout.root)) + 40, "sockets in it need a short path"


async def test_nothing_is_inherited(host: Host) -> None:
    result = await host.run(
        "ls /proc/self/fd; readlink /proc/self/fd/0; umask; ulimit -c; ps -o sid= -p $$; echo $$; nice", shell="sh"
    )
    words = host.log(result).split()
    *handles, stdin, umask, core, session, pid, nice = words
    assert len(handles) <= 4 and set(handles) <= {"0", "1", "2", "3"}
    assert (stdin, umask, core) == ("/dev/null", "0022", "0")
    assert session == pid
    assert int(nice) >= 5


async def test_limits_bind(host: Host) -> None:
    limits = {"memory_mb": 300, "cpu_seconds": 1, "open_files": 64}
    result = await host.run("ulimit -v; ulimit -t; ulimit -n; while :; do :; done", limits=limits)
    assert host.log(result).split()[:3] == ["307200", "1", "64"]
    assert result.message.startswith("ended by SIGXCPU (its limit of CPU seconds)")


async def test_memory_is_limited(host: Host) -> None:
    hungry = "python3 -c 'x = bytearray(900 << 20)'"
    assert (await host.run(hungry, key="a", limits={"memory_mb": 400})).status == Status.failed
    assert (await host.run(hungry, key="b")).status == Status.passed


async def test_a_step_runs_in_its_folder(host: Host) -> None:
    (host.workspace / "sub").mkdir()
    result = await host.run("pwd", workdir="sub")
    assert host.log(result) == str(host.workspace.resolve() / "sub")


@pytest.mark.parametrize("workdir", ["..", "sub/../../other", "/", "link", "missing", "file"])
async def test_a_folder_outside_the_workspace_is_refused(host: Host, workdir: str) -> None:
    (host.workspace / "link").symlink_to("/tmp")
    (host.workspace / "file").touch()
    result = await host.run("touch escaped", workdir=workdir)
    assert result.status == Status.failed
    assert workdir in result.message
    assert not list(host.root.rglob("escaped"))


async def test_a_workspace_that_is_gone_is_not_the_steps_fault(host: Host) -> None:
    host.workspace.rmdir()
    with pytest.raises(WorkspaceLost, match="workspace"):
        await host.run()


async def test_an_unknown_shell_is_refused(host: Host) -> None:
    with pytest.raises(SpecError, match="fish"):
        await host.run("true", shell="fish")


async def test_a_shell_that_is_not_installed(host: Host) -> None:
    result = await host.run("true", env={"PATH": "/nowhere"})
    assert (result.status, result.exit_code) == (Status.failed, None)
    assert result.message == "bash is not installed on this host"
    assert "[switchyard] bash is not installed" in host.log(result)


async def test_a_script_that_is_too_long(host: Host) -> None:
    result = await host.run("true #" + "x" * 200_000)
    assert result.status == Status.failed
    assert result.message == "bash could not be started: Argument list too long"


async def test_a_step_has_its_time(host: Host) -> None:
    result = await host.run("echo begun; trap '' TERM; sleep 60 & echo $! > child; while :; do sleep 0.1; done", timeout=0.4)
    assert result.status == Status.failed
    assert result.message == "timed out after 400ms"
    assert host.log(result).splitlines()[0] == "begun"
    assert host.log(result).splitlines()[-1] == "[switchyard] timed out after 400ms"
    assert result.finished_at - result.started_at < 5
    assert not alive(int(host.file("child")))


async def test_what_a_step_leaves_running_is_ended(host: Host) -> None:
    result = await host.run("setsid sleep 300 & echo $! > child; sleep 0.1")
    assert result.status == Status.passed
    assert not alive(int(host.file("child")))
    assert result.finished_at - result.started_at < 5


async def test_secrets_reach_the_process_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-a-file\nsecond-line\n")
    host = Host(tmp_path, {"CI_TOKEN": "from-the-environment"})
    secrets = {"TOKEN": SecretRef(env="CI_TOKEN"), "KEY": SecretRef(file=str(file))}
    result = await host.run('printf "%s" "$TOKEN" | wc -c; echo "$TOKEN $KEY"; exit 1', secrets=secrets)
    host.steps.close()
    assert host.log(result) == "20\n*** ***\n***"
    assert result.message == "exit status 1: 20"
    for path in host.layout.root.rglob("*"):
        assert not path.is_file() or b"from-" not in path.read_bytes(), path
    assert "from-" not in result.model_dump_json()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (SecretRef(env="NOT_SET"), "NOT_SET, which is not set"),
        (SecretRef(env="SHORT"), "shorter than 4"),
        (SecretRef(file="/nowhere/at/all"), "/nowhere/at/all, which cannot be read: No such file"),
        (SecretRef(file="relative"), "not an absolute path"),
        (SecretRef.model_validate({"kubernetes": {"name": "n", "key": "k"}}), "no cluster is configured"),
    ],
)
async def test_a_missing_secret_is_named(tmp_path: Path, reference: SecretRef, message: str) -> None:
    host = Host(tmp_path, {"SHORT": "abc"})
    with pytest.raises(SettingsError, match="'TOKEN'") as raised:
        await host.run("touch began", secrets={"TOKEN": reference})
    assert message in str(raised.value)
    assert raised.value.remedy
    assert host.file("began") == "" and not (host.workspace / "began").exists()
    host.steps.close()


async def test_the_engines_own_keys_are_no_secrets_of_a_pipeline(tmp_path: Path) -> None:
    host = Host(tmp_path, {"SWITCHYARD_WEB__TOKEN": "the keys of the house"})
    with pytest.raises(Denied, match="belongs to the engine"):
        await host.run("true", secrets={"T": SecretRef(env="SWITCHYARD_WEB__TOKEN")})


async def test_the_log_is_cut_and_the_process_goes_on(host: Host) -> None:
    result = await host.run(
        "{ yes 'a line of output' || true; } | head -c 1700000; echo the end; touch done; exit 4", limits={"log_mb": 0.5}
    )
    log = host.layout.logs / result.log
    assert 500_000 < log.stat().st_size < (1 << 19) + 200
    assert host.lines(result)[-1].text == "[switchyard] the log has reached 0.5 MiB: further output is dropped"
    assert (host.workspace / "done").exists()
    assert result.message == "exit status 4: the end"


async def test_the_log_cannot_be_read_by_others(host: Host) -> None:
    result = await host.run("echo x")
    assert stat.S_IMODE((host.layout.logs / result.log).stat().st_mode) & 0o007 == 0


async def test_the_log_is_live(host: Host) -> None:
    running = asyncio.ensure_future(
        host.run("echo one; printf 'and a part'; while [ ! -e go ]; do sleep 0.02; done; echo ' of it'")
    )
    log = host.layout.logs / host.layout.step_log("run", "build", 0)
    await eventually(lambda: log.exists() and "and a part" in log.read_text(), "a partial line is shown")
    (host.workspace / "go").touch()
    result = await running
    assert [(line.text, line.continues) for line in host.lines(result)] == [
        ("one", False),
        ("and a part", False),
        (" of it", True),
    ]


async def test_many_steps_at_once(host: Host) -> None:
    results = await asyncio.gather(*[host.run(f"echo {n}; echo {n} >> all", key=f"k{n}", index=n) for n in range(20)])
    assert {host.log(result) for result in results} == {str(n) for n in range(20)}
    assert sorted(map(int, host.file("all").split())) == list(range(20))


async def test_the_zygote_is_started_again(host: Host) -> None:
    await host.run("true", key="a")
    process = host.steps._launcher._process
    assert process is not None
    process.kill()
    process.wait()
    assert (await host.run("true", key="b")).status == Status.passed


async def test_the_zygote_ends_with_the_worker(host: Host) -> None:
    await host.run("true")
    process = host.steps._launcher._process
    assert process is not None
    host.steps.close()
    assert not Path(f"/proc/{process.pid}").exists()
