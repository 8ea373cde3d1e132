"""A report as JUnit's XML, which build servers show as tests.

The format has no standard: this is the part that the readers of GitLab, Jenkins and the like have
in common. A finding is a test case: an error failed, a warning or a note was skipped, for it fails
no build; where nothing is wrong, one case passed. A build server ignores a report without cases.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gateway.app.findings import Finding, Severity
from gateway.cli.reports.report import Report, uri_of

_SUITE: Final = "gateway check"
# XML 1.0 section 2.2, production 2: what no document may hold, not even escaped.
_NO_CHARACTER: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(report: Report) -> str:
    """Returns the document, ended by a newline."""
    failures = report.count(Severity.ERROR)
    passed = 0 if failures else 1
    about = {
        "name": _SUITE,
        "tests": str(len(report.findings) + passed),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(len(report.findings) - failures),
    }
    root = Element("testsuites", about)
    suite = SubElement(root, "testsuite", {**about, "time": "0"})
    if passed:
        _case(suite, report.summary, "gateway", report.config)
    for each in report.findings:
        _add(suite, each)
    indent(root)
    text: str = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add(suite: Element, finding: Finding) -> None:
    case = _case(
        suite,
        f"{finding.path or finding.place or finding.rule}: {finding.message}".partition("\n")[0],
        finding.rule,
        uri_of(finding.file) or finding.file,
        finding.line,
    )
    text, first = _clean(str(finding)), _clean(finding.message.partition("\n")[0])
    if finding.severity is Severity.ERROR:
        SubElement(case, "failure", type=finding.rule, message=first).text = text
    else:
        SubElement(case, "skipped", message=f"{finding.severity.value}: {first}")
        SubElement(case, "system-out").text = text


def _case(suite: Element, name: str, kind: str, file: str, line: int = 0) -> Element:
    case = SubElement(suite, "testcase", name=_clean(name), classname=kind, time="0")
    if file:
        case.set("file", _clean(file))
    if line:
        case.set("line", str(line))
    return case


def _clean(text: str) -> str:
    return _NO_CHARACTER.sub("\ufffd", text)
