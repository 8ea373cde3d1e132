"""`gateway check --format`: what is found, for programs; each form is held against its own rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft4Validator

from gateway.app.findings import Finding, Severity
from gateway.cli.failure import Exit
from gateway.cli.reports import FORMS, Format, Report
from gateway.cli.reports.report import uri_of
from tests.cli.conftest import write_config
from tests.cli.processes import invoke

SARIF = Draft4Validator(json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text()))
FOUND = Report(
    (
        Finding("config.rest", Severity.ERROR, "found 5", "gateway.yaml", 3, 7, "rest.prefix"),
        Finding("proto", Severity.ERROR, "is < wrong", "protos/a b.proto", 2),
        Finding("config.rest", Severity.WARNING, "is idle", "--set rest.x=…", path="rest.x"),
        Finding("serving", Severity.NOTE, "so it is:\n  a\x00b", "", path="GET /v1"),
    ),
    "gateway.yaml",
)
FINE = Report((), "gateway.yaml", "1 service, 1 method, 1 route")


def sarif(report: Report) -> Mapping[str, Any]:
    log = json.loads(FORMS[Format.SARIF](report))
    SARIF.validate(log)
    (run,) = log["runs"]
    return run  # type: ignore[no-any-return]


def junit(report: Report) -> ET.Element:
    return ET.fromstring(FORMS[Format.JUNIT](report))


def test_json_has_every_finding_with_all_that_is_known_of_it() -> None:
    data = json.loads(FORMS[Format.JSON](FOUND))
    assert data["ok"] is False
    assert data["counts"] == {"error": 2, "warning": 1, "note": 1}
    assert data["findings"][0] == {
        "rule": "config.rest",
        "severity": "error",
        "file": "gateway.yaml",
        "line": 3,
        "column": 7,
        "path": "rest.prefix",
        "message": "found 5",
    }
    assert [each["line"] for each in data["findings"]] == [3, 2, None, None]


def test_json_says_that_all_is_well() -> None:
    data = json.loads(FORMS[Format.JSON](FINE))
    assert (data["ok"], data["summary"], data["findings"]) == (True, FINE.summary, [])


def test_json_has_no_summary_of_what_fails() -> None:
    """What can be served has one, also where it breaks clients: here it would say that all is well.

    A warning is no failure.
    """
    served = replace(FOUND, summary=FINE.summary)
    assert json.loads(FORMS[Format.JSON](served))["summary"] is None
    warned = replace(served, findings=FOUND.findings[2:])
    assert json.loads(FORMS[Format.JSON](warned))["summary"] == FINE.summary


@pytest.mark.parametrize("report", [FOUND, FINE, Report(())], ids=["found", "fine", "nothing"])
def test_sarif_keeps_to_its_schema(report: Report) -> None:
    run = sarif(report)
    assert len(run["results"]) == len(report.findings)
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert all(each["help"]["text"] and each["shortDescription"]["text"] for each in rules)


def test_sarif_places_are_relative_and_every_result_has_one() -> None:
    places = [
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for each in sarif(FOUND)["results"]
    ]
    assert places == ["gateway.yaml", "protos/a%20b.proto", "gateway.yaml", "gateway.yaml"]


def test_sarif_tells_lines_columns_and_severities() -> None:
    results = sarif(FOUND)["results"]
    regions = [each["locations"][0]["physicalLocation"]["region"] for each in results]
    assert regions[:2] == [{"startLine": 3, "startColumn": 7}, {"startLine": 2}]
    assert [each["level"] for each in results] == ["error", "error", "warning", "note"]
    assert results[0]["message"]["text"] == "rest.prefix: found 5"
    assert results[2]["message"]["text"] == "--set rest.x=…: rest.x: is idle"


def test_a_fingerprint_does_not_depend_on_the_line() -> None:
    def of(line: int) -> object:
        finding = Finding("proto", Severity.ERROR, "is wrong", "a.proto", line)
        return sarif(Report((finding,)))["results"][0]["partialFingerprints"]

    assert of(1) == of(2)


def test_a_file_elsewhere_is_an_absolute_uri(tmp_path: Path) -> None:
    assert uri_of(str(tmp_path / "a b.proto")) == f"{tmp_path.as_uri()}/a%20b.proto"
    assert uri_of("sub/../a.proto") == "a.proto"
    assert uri_of("../a.proto") == (Path.cwd().parent / "a.proto").as_uri()
    assert uri_of("--set a=…") is None
    assert uri_of("default") is None
    assert uri_of("") is None


def test_junit_has_a_case_for_every_finding_and_only_errors_fail() -> None:
    root = junit(FOUND)
    (suite,) = root
    for each in (root, suite):
        counts = {name: each.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counts == {"tests": "4", "failures": "2", "errors": "0", "skipped": "2"}
    outcomes = [each[0].tag for each in suite]
    assert outcomes == ["failure", "failure", "skipped", "skipped"]
    first = suite[0]
    assert first.attrib | {"time": ""} == {
        "name": "rest.prefix: found 5",
        "classname": "config.rest",
        "file": "gateway.yaml",
        "line": "3",
        "time": "",
    }
    assert first[0].text == "gateway.yaml:3:7: rest.prefix: found 5"
    assert "\N{REPLACEMENT CHARACTER}" in (suite[3][1].text or ""), "XML has no NUL"


def test_junit_has_a_case_where_all_is_well() -> None:
    ((case,),) = [junit(FINE)]
    assert (case.get("tests"), case.get("failures")) == ("1", "0")
    assert case[0].get("name") == FINE.summary
    assert len(case[0]) == 0


@pytest.mark.parametrize("form", [each for each in Format if each is not Format.TEXT])
def test_a_report_is_on_standard_output_and_the_exit_code_is_as_ever(
    form: Format, tmp_path: Path
) -> None:
    write_config(tmp_path, "127.0.0.1:1")
    done = invoke("check", "--format", form.value, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "every caller is anonymous" in done.out
    (tmp_path / "gateway.yaml").write_text("rest: {prefix: api/}\n")
    done = invoke("check", "--format", form.value, cwd=tmp_path)
    assert (done.code, done.err) == (Exit.MISTAKE, "")
    assert "rest.prefix" in done.out


def test_a_mistake_of_a_proto_keeps_its_line_and_the_config_is_where_others_are(
    tmp_path: Path,
) -> None:
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "a.proto").write_text('syntax = "proto3";\nmessage A { B b = 1; }\n')
    (tmp_path / "gateway.yaml").write_text("schema: {protos: [protos]}\n")
    done = invoke("check", "--format", "sarif", cwd=tmp_path)
    log = json.loads(done.out)
    SARIF.validate(log)
    (result,) = log["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "protos/a.proto"
    assert place["region"]["startLine"] == 2
    assert result["ruleId"] == "proto"
