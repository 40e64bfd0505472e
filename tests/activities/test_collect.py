"""What a stage leaves beside its files: reports become evidence and numbers, artifacts are known with their origin."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activities.clients.artifact_store import ArtifactStore
from activities.collect import ArtifactPacker, Reports
from activities.records import Records
from activities.records.migrate import upgrade
from activities.steps.evidence import Evidence
from pipelines.errors import SpecError, StepFailed
from pipelines.messages.build import StageSeal, Workspace
from pipelines.messages.common import FindingCounts, RunRequest, Status, TestSummary
from pipelines.spec import ArtifactSpec
from pipelines.spec import Reports as ReportSpec
from tests.support.stages import sealing, step

JUNIT = """<testsuites><testsuite name="s"><testcase classname="s" name="a" time="0.5"/>
<testcase classname="s" name="b"><failure message="no">{root}/test_b.py:3: boom</failure></testcase></testsuite></testsuites>"""
COVERAGE = '<coverage lines-covered="{covered}" lines-valid="10" line-rate="0.5"/>'
RUN = RunRequest(repo="o/r", clone_url="/r", sha="a" * 40)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    url = f"sqlite:///{tmp_path}/records.sqlite"
    upgrade(url)
    records = Records(url)
    yield records
    records.close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    return root


@pytest.fixture
def reports(records: Records) -> Reports:
    return Reports(Evidence(records.findings, records.tests, records.coverage))


def seal(**more: Any) -> StageSeal:
    return sealing(RUN, Workspace(name="shared", queue="q", host="h", path="/p"), "test", **more)


def sarif(*levels: str, tool: str = "scanner") -> str:
    results = [
        {
            "ruleId": f"R{number}",
            "level": level,
            "message": {"text": "bad"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": number + 1}}}],
        }
        for number, level in enumerate(levels)
    ]
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": tool}}, "results": results}]})


def test_tests_of_all_reports_and_steps_together(reports: Reports, tree: Path, records: Records) -> None:
    (tree / "reports").mkdir()
    for name in ("one", "two"):
        (tree / f"reports/{name}.xml").write_text(JUNIT.format(root=tree))
    own = TestSummary(total=1, passed=1, seconds=1.0)
    found = reports.collect(tree, seal(reports=ReportSpec(junit=["reports/*.xml"]), steps=[step(tests=own), step()]))
    assert found.tests is not None
    assert (found.tests.total, found.tests.passed, found.tests.failed, found.tests.seconds) == (5, 3, 2, 2.0)
    assert found.tests.failures[0] == "s::b: no (test_b.py:3)"
    stored = records.tests.of_run(RUN.workflow_id, "test")
    assert [case.name for case in stored] == ["a", "b", "a", "b"]
    assert stored[1].place == "test_b.py:3", "relative to the workspace"


def test_findings_of_reports_and_steps_together(reports: Reports, tree: Path, records: Records) -> None:
    (tree / "one.sarif").write_text(sarif("error", "note"))
    (tree / "two.sarif").write_text(sarif(tool="silent"))
    own = FindingCounts(high=1, medium=2)
    found = reports.collect(tree, seal(reports=ReportSpec(sarif=["*.sarif"]), steps=[step(findings=own)]))
    assert found.findings == FindingCounts(high=2, medium=2, low=1)
    assert len(records.findings.of_run(RUN.workflow_id)) == 2
    assert records.findings.tools_of_run(RUN.workflow_id) == ["scanner", "silent"], "finding nothing is evidence too"


def test_coverage_is_the_lowest_that_is_told_and_reports_are_weighted(reports: Reports, tree: Path, records: Records) -> None:
    (tree / "a.xml").write_text(COVERAGE.format(covered=9))
    (tree / "b.xml").write_text(COVERAGE.format(covered=7))
    given = seal(reports=ReportSpec(coverage=["a.xml", "b.xml"]), steps=[step(coverage=95.0)])
    assert reports.collect(tree, given).coverage == pytest.approx(80.0)
    assert records.coverage.of_run(RUN.workflow_id) == pytest.approx(80.0)
    assert reports.collect(tree, given.model_copy(update={"steps": [step(coverage=60.0)]})).coverage == 60.0


def test_nothing_told_is_nothing(reports: Reports, tree: Path) -> None:
    found = reports.collect(tree, seal(steps=[step()]))
    assert (found.tests, found.findings, found.coverage, found.notes) == (None, None, None, [])


def test_collecting_twice_is_collecting_once(reports: Reports, tree: Path, records: Records) -> None:
    (tree / "junit.xml").write_text(JUNIT.format(root=tree))
    given = seal(reports=ReportSpec(junit=["junit.xml"]))
    assert reports.collect(tree, given) == reports.collect(tree, given)
    assert len(records.tests.of_run(RUN.workflow_id)) == 2


KINDS = ["junit", "coverage", "sarif"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_that_passed_must_have_left_its_reports(reports: Reports, tree: Path, kind: str) -> None:
    with pytest.raises(StepFailed, match=f"{kind} report 'no/\\*.x' is not there"):
        reports.collect(tree, seal(reports=ReportSpec(**{kind: ["no/*.x"]})))


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_report_fails_a_stage_that_passed(reports: Reports, tree: Path, kind: str) -> None:
    (tree / "r").write_text("<half")
    with pytest.raises(StepFailed, match="report"):
        reports.collect(tree, seal(reports=ReportSpec(**{kind: ["r"]})))


@pytest.mark.parametrize("kind", KINDS)
def test_in_one_that_failed_it_is_a_note(reports: Reports, tree: Path, kind: str) -> None:
    (tree / "r").write_text("<half")
    found = reports.collect(tree, seal(reports=ReportSpec(**{kind: ["r", "gone"]}), status=Status.failed))
    assert len(found.notes) == 2
    assert "'gone' is not there" in found.notes[0]


def test_a_failed_stages_readable_reports_count(reports: Reports, tree: Path, records: Records) -> None:
    (tree / "broken.xml").write_text("<half")
    (tree / "good.xml").write_text(JUNIT.format(root=tree))
    found = reports.collect(tree, seal(reports=ReportSpec(junit=["*.xml"]), status=Status.failed))
    assert found.tests and found.tests.failed == 1
    assert len(records.tests.of_run(RUN.workflow_id)) == 2


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../*.xml", "a/../../x", ""])
def test_reports_outside_the_workspace_are_refused(reports: Reports, tree: Path, pattern: str) -> None:
    with pytest.raises(SpecError, match="not a path below the workspace"):
        reports.collect(tree, seal(reports=ReportSpec(junit=[pattern])))


def test_a_link_out_of_the_workspace_is_no_report(reports: Reports, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.xml").write_text(JUNIT.format(root=tree))
    (tree / "junit.xml").symlink_to(tmp_path / "outside.xml")
    with pytest.raises(StepFailed, match="is not there"):
        reports.collect(tree, seal(reports=ReportSpec(junit=["junit.xml"])))


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def test_artifacts_are_packed_known_and_described(store: ArtifactStore, records: Records, tree: Path, tmp_path: Path) -> None:
    (tree / "dist").mkdir()
    (tree / "dist/app.py").write_text("print(1)")
    (tree / "dist/app.log").write_text("noise")
    (tree / "requirements.txt").write_text("six==1.16.0\n")
    spec = ArtifactSpec(name="app", paths=["dist", "requirements.txt"], exclude=["**/*.log"], sbom="python")
    packed, sbom = ArtifactPacker(store, records.artifacts, "host-a", lambda: None).pack(tree, seal(artifacts=[spec]))
    assert (packed.name, packed.version, packed.kind) == ("app", "1.0", "archive")
    store.unpack(packed.digest, tmp_path / "unpacked")
    assert sorted(path.name for path in (tmp_path / "unpacked").rglob("*") if path.is_file()) == ["app.py", "requirements.txt"]
    assert [part["name"] for part in json.loads(store.read(sbom.digest))["components"]] == ["six"]
    known = records.artifacts.get(packed.digest)
    assert known is not None
    assert (known.metadata.repo, known.metadata.sha, known.metadata.tree, known.metadata.builder) == (
        "o/r",
        "a" * 40,
        "t",
        "host-a",
    )
    assert [item.ref.digest for item in records.artifacts.list(describes=packed.digest)] == [sbom.digest]


def test_the_same_files_give_the_same_artifacts(store: ArtifactStore, records: Records, tree: Path) -> None:
    (tree / "app").write_text("x")
    packer = ArtifactPacker(store, records.artifacts, "host-a", lambda: None)
    given = seal(artifacts=[ArtifactSpec(name="app", paths=["app"])])
    first = packer.pack(tree, given)
    (tree / "app").touch()
    assert packer.pack(tree, given) == first


def test_an_artifact_of_nothing_names_it(store: ArtifactStore, records: Records, tree: Path) -> None:
    packer = ArtifactPacker(store, records.artifacts, "host-a", lambda: None)
    with pytest.raises(StepFailed, match="artifact app: 'dist' matches no file"):
        packer.pack(tree, seal(artifacts=[ArtifactSpec(name="app", paths=["dist"])]))
