"""SARIF 2.1.0 in, findings out, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.reports.sarif import parse_sarif, read_sarif, to_sarif
from activities.reports.sources import Sources
from pipelines.errors import StepFailed
from pipelines.findings import SEVERITIES, number_repeats
from pipelines.messages.quality import Finding
from tests.support.evidence import finding, findings


def location(uri: str = "src/app.py", line: int | None = 3, snippet: str = "") -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": line} if line else {}
    if snippet:
        region["snippet"] = {"text": snippet}
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def result(**more: Any) -> dict[str, Any]:
    return {"ruleId": "R1", "message": {"text": "bad"}, "locations": [location()]} | more


def log(*results: dict[str, Any], rules: list[dict[str, Any]] | None = None, **run: Any) -> str:
    driver = {"name": "Tool", "rules": rules or []}
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": list(results)} | run]})


def one(*results: dict[str, Any], **more: Any) -> Finding:
    (found,) = parse_sarif(log(*results, **more))
    return found


def test_the_plain_case() -> None:
    found = one(result())
    assert (found.tool, found.rule, found.severity, found.message) == ("tool", "R1", "medium", "bad")
    assert (found.path, found.line, found.column) == ("src/app.py", 3, None)


@pytest.mark.parametrize(
    ("level", "severity"), [("error", "high"), ("warning", "medium"), ("note", "low"), ("none", "info"), ("new-word", "medium")]
)
def test_levels(level: str, severity: str) -> None:
    assert one(result(level=level)).severity == severity
    assert one(result(), rules=[{"id": "R1", "defaultConfiguration": {"level": level}}]).severity == severity


@pytest.mark.parametrize(
    ("score", "severity"),
    [("9.0", "critical"), (10, "critical"), ("8.9", "high"), ("7.0", "high"), (6.9, "medium"), ("4.0", "medium"), ("0.1", "low")],
)
def test_security_severity_wins_over_the_level(score: object, severity: str) -> None:
    properties = {"security-severity": score}
    assert one(result(level="note", properties=properties)).severity == severity
    assert one(result(level="note"), rules=[{"id": "R1", "properties": properties}]).severity == severity


@pytest.mark.parametrize("score", ["", "high", None, "nan", "inf", [], {}, "0.0", "-3"])
def test_a_security_severity_that_is_no_score_leaves_it_to_the_level(score: object) -> None:
    assert one(result(level="error", properties={"security-severity": score})).severity == "high"


def test_the_results_own_score_wins_over_the_rules() -> None:
    rules = [{"id": "R1", "properties": {"security-severity": "9.9"}}]
    assert one(result(properties={"security-severity": "2"}), rules=rules).severity == "low"


@pytest.mark.parametrize(
    ("suppressions", "counts"),
    [
        (None, 1),
        ([], 1),
        ([{"kind": "inSource"}], 0),
        ([{"kind": "external", "status": "accepted"}], 0),
        ([{"kind": "external", "status": "underReview"}], 1),
        ([{"kind": "external", "status": "rejected"}], 1),
        ([{"kind": "inSource"}, {"kind": "external", "status": "rejected"}], 1),
    ],
)
def test_suppressions(suppressions: list[dict[str, str]] | None, counts: int) -> None:
    assert len(parse_sarif(log(result(suppressions=suppressions)))) == counts


@pytest.mark.parametrize(("state", "counts"), [("absent", 0), ("new", 1), ("unchanged", 1), ("updated", 1)])
def test_results_that_are_gone_do_not_count(state: str, counts: int) -> None:
    assert len(parse_sarif(log(result(baselineState=state)))) == counts


@pytest.mark.parametrize(("kind", "severities"), [("pass", []), ("notApplicable", []), ("review", ["info"]), ("fail", ["high"])])
def test_kinds(kind: str, severities: list[str]) -> None:
    assert [found.severity for found in parse_sarif(log(result(kind=kind, level="error")))] == severities


def test_rules_by_index_by_extension_and_by_parent() -> None:
    rules = [{"id": "A", "helpUri": "https://a.example"}, {"id": "B", "helpUri": "https://b.example"}]
    assert one({"ruleIndex": 1, "message": {"text": "m"}}, rules=rules).rule == "B"
    assert one(result(ruleId="B/sub"), rules=rules).remedy == "https://b.example"
    tool = {"driver": {"name": "D"}, "extensions": [{"name": "E", "rules": [{"id": "X", "help": {"text": "do this"}}]}]}
    found = one(result(ruleId="X", rule={"index": 0, "toolComponent": {"index": 0}}), tool=tool)
    assert (found.tool, found.remedy) == ("d", "do this")


@pytest.mark.parametrize("index", [-1, 5, 10**9])
def test_an_index_out_of_range_is_no_crash(index: int) -> None:
    assert one(result(ruleIndex=index)).rule == "R1"
    assert one({"ruleIndex": index, "message": {"text": "m"}}).rule == "unknown"
    assert one(result(rule={"toolComponent": {"index": index}})).rule == "R1"


def test_messages_by_id_with_arguments() -> None:
    rules = [{"id": "R1", "messageStrings": {"default": {"text": "{0} calls {1}"}}, "shortDescription": {"text": "short"}}]
    assert one(result(message={"id": "default", "arguments": ["f", "g"]}), rules=rules).message == "f calls g"
    assert one(result(message={}), rules=rules).message == "short"
    assert one(result(message={})).message == "no message"


@pytest.mark.parametrize("tags", [["external/cwe/cwe-078"], ["security", "CWE-78"], ["CWE-78: OS command injection"]])
def test_cwe_from_tags(tags: list[str]) -> None:
    assert one(result(), rules=[{"id": "R1", "properties": {"tags": tags}}]).cwe == "CWE-78"


def test_an_artifact_may_be_given_by_index() -> None:
    place = {"physicalLocation": {"artifactLocation": {"index": 1}, "region": {"startLine": 2, "startColumn": 5}}}
    artifacts = [{"location": {"uri": "a.c"}}, {"location": {"uri": "b.c"}}]
    found = one(result(locations=[place]), artifacts=artifacts)
    assert (found.path, found.line, found.column) == ("b.c", 2, 5)


def test_paths_become_relative_to_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "ws" / "sub").mkdir(parents=True)
    sources = Sources(tmp_path / "ws", tmp_path / "ws" / "sub")
    given = {
        f"file://{tmp_path}/ws/a%20b.py": "a b.py",
        f"{tmp_path}/ws/c.py": "c.py",
        "./d.py": "sub/d.py",
        "../e%23.py": "e#.py",
        "/etc/passwd": "/etc/passwd",
    }
    text = log(*[result(locations=[location(uri)], ruleId=uri) for uri in given])
    assert [found.path for found in parse_sarif(text, sources=sources)] == list(given.values())


def test_a_fingerprint_follows_the_source_line_when_it_moves(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = eval(y)\n")
    before = parse_sarif(log(result(locations=[location("a.py", 1)])), sources=Sources(tmp_path))[0]
    (tmp_path / "a.py").write_text("# one\n# two\n    x = eval(y)\n")
    after = parse_sarif(log(result(locations=[location("a.py", 3)])), sources=Sources(tmp_path))[0]
    assert before.fingerprint == after.fingerprint
    (tmp_path / "a.py").write_text("x = eval(z)\n")
    other = parse_sarif(log(result(locations=[location("a.py", 1)])), sources=Sources(tmp_path))[0]
    assert other.fingerprint != before.fingerprint


def test_a_fingerprint_uses_the_snippet_or_the_tools_own() -> None:
    assert (
        one(result(locations=[location(line=1, snippet="x")])).fingerprint
        == one(result(locations=[location(line=9, snippet="x")])).fingerprint
    )
    own = {"partialFingerprints": {"primaryLocationLineHash": "39fa2ee980eb94b0:1"}}
    assert one(result(**own, message={"text": "a"})).fingerprint == one(result(**own, message={"text": "b"})).fingerprint


def test_empty_fingerprints_as_gitleaks_writes_them_are_none() -> None:
    empty = {"partialFingerprints": {"commitSha": "", "author": ""}}
    first, second = (one(result(**empty, locations=[location(snippet=text)])) for text in ("x", "y"))
    assert first.fingerprint != second.fingerprint


def test_line_numbers_in_messages_do_not_change_a_fingerprint() -> None:
    first, second = (one(result(message={"text": f"shadows x from line {n}"}, locations=[location(line=n)])) for n in (3, 8))
    assert first.fingerprint == second.fingerprint


def test_two_equal_results_in_one_report_have_their_own_fingerprints() -> None:
    twice = parse_sarif(log(*[result(locations=[location(line=n, snippet="x")]) for n in (1, 5)]))
    assert twice[1].fingerprint == f"{twice[0].fingerprint}-2"


def test_several_runs_and_a_name_for_the_tool() -> None:
    runs = [{"tool": {"driver": {"name": name}}, "results": [result()]} for name in ("One", "Two")]
    text = json.dumps({"version": "2.1.0", "runs": runs})
    assert [found.tool for found in parse_sarif(text)] == ["one", "two"]
    assert {found.tool for found in parse_sarif(text, "mine")} == {"mine"}


def test_a_file_that_could_not_be_analysed_is_a_finding() -> None:
    notes = [
        {"level": "error", "message": {"text": "syntax error"}, "locations": [location("bad.py")]},
        {"level": "warning", "message": {"text": "slow"}},
    ]
    for kind in ("toolExecutionNotifications", "toolConfigurationNotifications"):
        found = one(invocations=[{"executionSuccessful": True, kind: notes}])
        assert (found.rule, found.severity, found.path, found.message) == (
            "not-analysed",
            "medium",
            "bad.py",
            "could not be analysed: syntax error",
        )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not SARIF 2.1.0"),
        ("null", "not SARIF 2.1.0"),
        ("{}", "version"),
        ('{"version": "2.0.0", "runs": []}', "version"),
        ('{"version": "2.1.0"}', "runs"),
        ('{"version": "2.1.0", "runs": [{}]}', "runs.0.tool"),
        ('{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}}]}', "did not scan"),
        ('{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": null}]}', "did not scan"),
        (
            log(invocations=[{"executionSuccessful": False, "exitCodeDescription": "out of memory"}]),
            "did not scan: out of memory",
        ),
        (log(result(locations=[location(line=-4)])), "startLine"),
        (log(result(level=3)), "level"),
        (log(result(suppressions=[{"status": "maybe"}])), "status"),
    ],
)
def test_what_is_no_report_of_a_scan_is_an_error(text: str, words: str) -> None:
    with pytest.raises(StepFailed) as caught:
        parse_sarif(text, name="SARIF report out.sarif")
    assert words in str(caught.value)
    assert "out.sarif" in str(caught.value)
    assert caught.value.remedy


def test_an_empty_scan_is_no_finding() -> None:
    assert parse_sarif(log()) == []
    assert parse_sarif("\ufeff" + log()) == []


def test_reading_a_file_names_the_tools_even_without_findings(tmp_path: Path) -> None:
    (tmp_path / "a.sarif").write_text(log())
    assert read_sarif(tmp_path / "a.sarif") == (["tool"], [])
    assert read_sarif(tmp_path / "a.sarif", "dast") == (["dast"], [])
    with pytest.raises(StepFailed, match=r"b\.sarif"):
        read_sarif(tmp_path / "b.sarif")


def test_what_is_written_is_sarif_with_levels_and_scores() -> None:
    written = json.loads(to_sarif([finding("R1", "critical", path="a b.py", line=None), finding("R2", "info", tool="other")]))
    assert written["version"] == "2.1.0"
    assert [run["tool"]["driver"]["name"] for run in written["runs"]] == ["scanner", "other"]
    first = written["runs"][0]["results"][0]
    assert (first["level"], first["properties"]["security-severity"]) == ("error", "9.5")
    assert first["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "a%20b.py"}}
    assert written["runs"][1]["results"][0]["level"] == "none"


@pytest.mark.parametrize("severity", SEVERITIES)
def test_each_severity_survives_the_way_there_and_back(severity: str) -> None:
    given = [finding("R1", severity, remedy="do this", cwe="CWE-78", column=4)]
    assert parse_sarif(to_sarif(given)) == given


@given(st.lists(findings, max_size=6))
def test_findings_survive_the_way_there_and_back(found: list[Finding]) -> None:
    unique = number_repeats(each for each in found if each.path or each.line is None)
    assert sorted(parse_sarif(to_sarif(unique)), key=repr) == sorted(unique, key=repr)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=6), below, max_size=3),
    max_leaves=8,
)
KEYS = ["ruleId", "ruleIndex", "rule", "level", "kind", "message", "locations", "properties", "suppressions", "fingerprints"]


@given(json_values)
def test_any_json_is_findings_or_a_clear_error(value: object) -> None:
    try:
        assert parse_sarif(json.dumps(value)) == []
    except StepFailed as error:
        assert "SARIF" in str(error)


@given(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=5))
def test_any_result_is_a_finding_or_a_clear_error(fields: dict[str, object]) -> None:
    try:
        found = parse_sarif(log(fields))
    except StepFailed as error:
        assert "runs.0.results.0" in str(error)
        return
    assert len(found) <= 1
    assert all(each.severity in SEVERITIES for each in found)


@given(st.text())
def test_any_text_is_a_clear_error(text: str) -> None:
    with pytest.raises(StepFailed):
        parse_sarif(text)
