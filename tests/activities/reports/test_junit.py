"""JUnit XML in four dialects, broken and hostile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.reports import files
from activities.reports.junit import parse_junit
from pipelines.errors import StepFailed

PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.051">
<testcase classname="tests.test_a.TestX" name="test_ok[1-a]" file="tests/test_a.py" line="3" time="0.001"/>
<testcase classname="tests.test_a" name="test_bad" file="tests/test_a.py" line="9" time="0.002">
<failure message="assert 1 == 2">def test_bad():
&gt;       assert helper() == 2
E       assert 1 == 2

tests/test_a.py:11:
_ _ _
lib/helper.py:4: AssertionError</failure></testcase>
<testcase classname="tests.test_a" name="test_skip" time="0"><skipped type="pytest.skip" message="not here">x</skipped></testcase>
<testcase classname="tests.test_a" name="test_err" time="0"><error message="failed on setup with &quot;OSError&quot;">
tests/conftest.py:7: OSError</error></testcase>
</testsuite></testsuites>"""

GOTESTSUM = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1" errors="0" time="0.4">
  <testsuite tests="2" failures="1" time="0.004" name="example.com/app" timestamp="2025-01-01T00:00:00Z">
    <properties><property name="go.version" value="go1.26"/></properties>
    <testcase classname="example.com/app" name="TestAdd" time="0.000"></testcase>
    <testcase classname="example.com/app" name="TestSub" time="0.010">
      <failure message="Failed" type="">=== RUN   TestSub
    sub_test.go:12: got 3, want 1
--- FAIL: TestSub (0.01s)</failure></testcase>
  </testsuite>
</testsuites>"""

SUREFIRE = """<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="com.acme.CartTest" time="1,234.5"
 tests="4" errors="1" skipped="0" failures="0">
  <testcase name="adds" classname="com.acme.CartTest" time="1,200.25"/>
  <testcase name="flaps" classname="com.acme.CartTest" time="0.1">
    <flakyFailure message="expected 1" type="AssertionError"><stackTrace>x</stackTrace></flakyFailure>
    <flakyError message="boom"/>
  </testcase>
  <testcase name="breaks" classname="com.acme.CartTest" time="0.1">
    <error message="null" type="java.lang.NullPointerException">java.lang.NullPointerException: null
\tat com.acme.Cart.add(Cart.java:42)
\tat com.acme.CartTest.breaks(CartTest.java:17)</error>
    <rerunError message="null"/>
  </testcase>
  <testcase name="later" classname="com.acme.CartTest"><skipped/></testcase>
</testsuite>"""

JEST = """<testsuites name="jest tests" tests="2" failures="1" time="1.2">
  <testsuite name="cart" errors="0" failures="1" skipped="0" tests="2" time="0.5">
    <testcase classname="cart adds" name="cart adds" time="0.003"></testcase>
    <testcase classname="cart removes" name="cart removes" time="0.005">
      <failure>Error: expect(received).toBe(expected)
    at Object.toBe (/w/src/cart.test.js:12:5)
    at run (node_modules/jest/run.js:1:2)</failure>
    </testcase>
  </testsuite>
</testsuites>"""


def write(folder: Path, text: str, name: str = "junit.xml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_pytest(tmp_path: Path) -> None:
    ok, bad, skipped, error = parse_junit(write(tmp_path, PYTEST))
    assert (ok.suite, ok.name, ok.status, ok.seconds, ok.runs) == ("tests.test_a.TestX", "test_ok[1-a]", "passed", 0.001, [])
    assert (bad.status, bad.message, bad.place) == ("failed", "assert 1 == 2", "lib/helper.py:4")
    assert (skipped.status, skipped.message) == ("skipped", "not here")
    assert (error.status, error.place) == ("error", "tests/conftest.py:7")


def test_gotestsum(tmp_path: Path) -> None:
    good, bad = parse_junit(write(tmp_path, GOTESTSUM))
    assert (good.suite, good.status) == ("example.com/app", "passed")
    assert (bad.status, bad.place, bad.message) == ("failed", "sub_test.go:12", "Failed")


def test_surefire_with_its_flaky_marks_and_thousands(tmp_path: Path) -> None:
    adds, flaps, breaks, later = parse_junit(write(tmp_path, SUREFIRE))
    assert adds.seconds == 1200.25
    assert (flaps.status, flaps.runs, flaps.message) == ("passed", ["failed", "error", "passed"], "expected 1")
    assert (breaks.status, breaks.runs, breaks.place) == ("error", ["error", "error"], "Cart.java:42")
    assert later.status == "skipped"


def test_jest(tmp_path: Path) -> None:
    _, removes = parse_junit(write(tmp_path, JEST))
    assert removes.status == "failed"
    assert removes.place == "/w/src/cart.test.js:12"
    assert removes.message.startswith("Error: expect(received)")


def test_nested_suites_lend_their_name(tmp_path: Path) -> None:
    text = "<testsuites><testsuite name='a'><testsuite name='b'><testcase name='t'/></testsuite></testsuite></testsuites>"
    assert [(case.suite, case.name) for case in parse_junit(write(tmp_path, text))] == [("b", "t")]


def test_the_order_is_the_documents(tmp_path: Path) -> None:
    text = "<testsuite name='s'><testcase name='1'/><testcase name='2'/><testcase name='3'/></testsuite>"
    assert [case.name for case in parse_junit(write(tmp_path, text))] == ["1", "2", "3"]


def test_a_namespace_does_not_matter(tmp_path: Path) -> None:
    text = "<testsuite xmlns='urn:x' name='s'><testcase name='1'><failure message='no'/></testcase></testsuite>"
    assert parse_junit(write(tmp_path, text))[0].status == "failed"


def test_an_empty_suite_has_no_cases(tmp_path: Path) -> None:
    assert parse_junit(write(tmp_path, "<testsuites/>")) == []


def test_the_place_of_the_test_stands_in_for_that_of_the_failure(tmp_path: Path) -> None:
    text = "<testsuite><testcase name='t' file='a_spec.rb' line='4'><failure message='no'/></testcase></testsuite>"
    assert parse_junit(write(tmp_path, text))[0].place == "a_spec.rb:4"


def test_a_python_traceback_gives_its_innermost_frame(tmp_path: Path) -> None:
    trace = "Traceback\n  File &quot;a.py&quot;, line 1, in f\n  File &quot;b.py&quot;, line 22, in g\nValueError"
    text = f"<testsuite><testcase name='t'><error message='x'>{trace}</error></testcase></testsuite>"
    assert parse_junit(write(tmp_path, text))[0].place == "b.py:22"


@pytest.mark.parametrize("time", ["", "soon", "nan", "inf", "-1"])
def test_a_time_that_is_none_counts_as_zero(tmp_path: Path, time: str) -> None:
    assert parse_junit(write(tmp_path, f"<testsuite><testcase name='t' time='{time}'/></testsuite>"))[0].seconds == 0.0


def test_long_messages_are_cut(tmp_path: Path) -> None:
    text = f"<testsuite><testcase name='t'><failure message='{'x' * 100_000}'/></testcase></testsuite>"
    assert len(parse_junit(write(tmp_path, text))[0].message) == 2000


def test_a_suite_that_claims_failures_but_lists_none_is_no_pass(tmp_path: Path) -> None:
    text = "<testsuites><testsuite name='s' errors='1' tests='0'><system-err>boom</system-err></testsuite></testsuites>"
    with pytest.raises(StepFailed, match="counts failures but lists no failed test"):
        parse_junit(write(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not xml",
        "<testsuite>",
        "<testsuite><testcase name='a'></testsuite>",
        "<html/>",
        '<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "b">]><testsuite name="&a;"/>',
        '<!DOCTYPE t [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite name="s">&a;</testsuite>',
        '<?xml version="1.0" encoding="no-such"?><testsuite/>',
    ],
)
def test_a_broken_report_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(StepFailed) as caught:
        parse_junit(write(tmp_path, text, "broken-report.xml"))
    assert "broken-report.xml" in str(caught.value)
    assert caught.value.remedy


def test_a_billion_laughs_are_refused_at_once(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(StepFailed, match="not usable XML"):
        parse_junit(write(tmp_path, f'<!DOCTYPE t [<!ENTITY l0 "ha">{laughs}]><testsuite name="&l9;"/>'))


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="absent.xml"):
        parse_junit(tmp_path / "absent.xml")


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="cannot be read"):
        parse_junit(tmp_path)


def test_a_report_over_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 100)
    with pytest.raises(StepFailed, match="larger than"):
        parse_junit(write(tmp_path, PYTEST))


def test_deep_nesting_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    text = "<testsuite>" * 20_000 + "<testcase name='t'/>" + "</testsuite>" * 20_000
    assert len(parse_junit(write(tmp_path, text))) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.binary(max_size=200) | st.text(alphabet="<>/testsuiecare ='\"&;!x1", max_size=200).map(str.encode))
def test_any_bytes_are_cases_or_a_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.xml"
    path.write_bytes(data)
    try:
        assert isinstance(parse_junit(path), list)
    except StepFailed as error:
        assert "any.xml" in str(error)


tags = st.sampled_from(["testcase", "testsuite", "failure", "error", "skipped", "flakyFailure", "rerunError", "x"])
attributes = st.dictionaries(
    st.sampled_from(["name", "classname", "time", "message", "file", "line", "failures"]),
    st.text(alphabet="abc.:/1 ", max_size=8),
    max_size=4,
)


def element(tag: str, given: dict[str, str], below: list[str]) -> str:
    written = "".join(f" {key}='{value}'" for key, value in given.items())
    return f"<{tag}{written}>{''.join(below)}</{tag}>"


trees = st.recursive(
    st.builds(element, tags, attributes, st.just([])),
    lambda below: st.builds(element, tags, attributes, st.lists(below, max_size=4)),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(tree=trees)
def test_any_tree_gives_known_statuses_and_no_failure_is_lost(tmp_path: Path, tree: str) -> None:
    path = write(tmp_path, f"<testsuites>{tree}</testsuites>", "tree.xml")
    try:
        cases = parse_junit(path)
    except StepFailed as error:
        assert "tree.xml" in str(error)
        return
    assert {case.status for case in cases} <= {"passed", "failed", "error", "skipped"}
    assert all(case.runs == [] or case.runs[-1] == case.status for case in cases)
