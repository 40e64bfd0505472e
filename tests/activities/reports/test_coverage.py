"""Cobertura XML: coverage in percent, or a clear error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.reports.coverage import combined_coverage, parse_coverage
from pipelines.errors import StepFailed

CLASSES = """<packages><package><classes>
<class name="a"><methods><method><lines><line number="1" hits="1"/></lines></method></methods>
<lines><line number="1" hits="1"/><line number="2" hits="0"/><line number="3" hits="7"/><line number="4" hits="0"/></lines>
</class>
</classes></package></packages>"""


def write(folder: Path, text: str, name: str = "coverage.xml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ('<coverage lines-valid="200" lines-covered="150" line-rate="0.1"/>', 75.0),
        ('<coverage lines-valid="3" lines-covered="3"/>', 100.0),
        ('<coverage lines-valid="3" lines-covered="0"/>', 0.0),
        (f"<coverage>{CLASSES}</coverage>", 50.0),
        ('<coverage line-rate="0.854"/>', 85.4),
        ('<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd"><coverage line-rate="0.5"/>', 50.0),
    ],
)
def test_percent(tmp_path: Path, text: str, percent: float) -> None:
    assert parse_coverage(write(tmp_path, text)) == pytest.approx(percent)


def test_what_coverage_py_writes(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f(x):\n    if x:\n        return 1\n    return 2\n\n\nf(1)\n")
    run = [sys.executable, "-m", "coverage"]
    subprocess.run([*run, "run", "m.py"], cwd=tmp_path, check=True)
    subprocess.run([*run, "xml", "-q", "-o", "out.xml"], cwd=tmp_path, check=True)
    assert parse_coverage(tmp_path / "out.xml") == pytest.approx(80.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<coverage>",
        "<report/>",
        "<coverage/>",
        '<coverage lines-valid="0" lines-covered="0"/>',
        '<coverage lines-valid="0" lines-covered="0" line-rate="1"/>',
        '<coverage lines-valid="10" lines-covered="11"/>',
        '<coverage lines-valid="-10" lines-covered="-10"/>',
        '<coverage line-rate="1.5"/>',
        '<coverage line-rate="nan"/>',
        '<coverage line-rate="-0.1"/>',
        '<coverage line-rate="all"/>',
        '<coverage lines-valid="inf" lines-covered="inf"/>',
    ],
)
def test_a_report_that_tells_no_coverage_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(StepFailed, match="which-file.xml") as caught:
        parse_coverage(write(tmp_path, text, "which-file.xml"))
    assert caught.value.remedy


def test_a_missing_report_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="gone.xml"):
        parse_coverage(tmp_path / "gone.xml")


def test_several_reports_weigh_by_their_lines(tmp_path: Path) -> None:
    small = write(tmp_path, '<coverage lines-valid="10" lines-covered="10"/>', "a.xml")
    large = write(tmp_path, '<coverage lines-valid="90" lines-covered="0"/>', "b.xml")
    assert combined_coverage([small, large]) == pytest.approx(10.0)
    assert combined_coverage([small]) == 100.0


def test_no_report_is_no_number() -> None:
    assert combined_coverage([]) is None


def test_one_broken_report_among_good_ones_is_an_error(tmp_path: Path) -> None:
    good = write(tmp_path, '<coverage line-rate="1"/>', "a.xml")
    with pytest.raises(StepFailed, match=r"b\.xml"):
        combined_coverage([good, write(tmp_path, "<coverage/>", "b.xml")])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(valid=st.text(max_size=8), covered=st.text(max_size=8), rate=st.text(alphabet="0123456789.e-nai", max_size=8))
def test_any_attributes_give_a_percentage_or_a_clear_error(tmp_path: Path, valid: str, covered: str, rate: str) -> None:
    clean = [value.replace("&", "").replace("<", "").replace('"', "") for value in (valid, covered, rate)]
    text = '<coverage lines-valid="{}" lines-covered="{}" line-rate="{}"/>'.format(*clean)
    path = tmp_path / "any.xml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert 0 <= parse_coverage(path) <= 100
    except StepFailed as error:
        assert "any.xml" in str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=100))
def test_any_bytes_give_a_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.xml"
    path.write_bytes(data)
    with pytest.raises(StepFailed, match=r"any\.xml"):
        parse_coverage(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=5))
def test_the_combination_lies_between_the_reports(tmp_path: Path, lines: list[tuple[int, int]]) -> None:
    paths = []
    for number, (covered, more) in enumerate(lines):
        text = f'<coverage lines-valid="{covered + more}" lines-covered="{covered}"/>'
        paths.append(write(tmp_path, text, f"{number}.xml"))
    each = [parse_coverage(path) for path in paths]
    combined = combined_coverage(paths)
    assert combined is not None
    assert min(each) - 1e-9 <= combined <= max(each) + 1e-9
