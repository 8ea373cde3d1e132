"""A report as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change.

Places are relative to the folder in which the command ran (section 3.14.14, `%SRCROOT%`), so that a
report of one machine is right on another. A finding's fingerprint is made of its rule, file and
words, and not of its line: it stays the same when lines before it come or go (section 3.27.17).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import gateway
from gateway.app.findings import Finding, Severity
from gateway.cli.reports.report import Report, uri_of
from gateway.cli.reports.rules import rule

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_BASE: Final = "%SRCROOT%"


def written(report: Report) -> str:
    """Returns the log: one run, its rules, its results; ended by a newline."""
    ids = sorted({each.rule for each in report.findings})
    places = {name: index for index, name in enumerate(ids)}
    run = {
        "tool": {
            "driver": {
                "name": "gateway check",
                "semanticVersion": gateway.__version__,
                "rules": [_rule(each, report.findings) for each in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, places[each.rule], report.config) for each in report.findings],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(name: str, findings: Iterable[Finding]) -> dict[str, object]:
    about = rule(name)
    worst = next(
        severity
        for severity in Severity
        if any(each.rule == name and each.severity is severity for each in findings)
    )
    return {
        "id": name,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.help},
        "help": {"text": about.help},
        "defaultConfiguration": {"level": worst.value},
    }


def _result(finding: Finding, rule_index: int, config: str) -> dict[str, object]:
    text = f"{finding.path}: {finding.message}" if finding.path else finding.message
    uri = uri_of(finding.file)
    if uri is None and finding.file:
        text = f"{finding.file}: {text}"
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": finding.severity.value,
        "message": {"text": text},
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
    }
    if uri is not None:
        place = _place(uri, finding.line, finding.column)
    elif (uri := uri_of(config)) is not None:
        place = _place(uri)
    else:
        return result
    return result | {"locations": [{"physicalLocation": place}]}


def _place(uri: str, line: int = 0, column: int = 0) -> dict[str, object]:
    artifact = {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": _BASE}
    region = {"startLine": line or 1}
    if line and column:
        region["startColumn"] = column
    return {"artifactLocation": artifact, "region": region}


def _fingerprint(finding: Finding) -> str:
    parts = (finding.rule, finding.file, finding.path, finding.message)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
