"""A report as JSON, for scripts. Its keys are documented in docs/ci.md and stay."""

from __future__ import annotations

import json

from gateway.app.findings import Finding, Severity
from gateway.cli.reports.report import Report


def written(report: Report) -> str:
    """Returns the report: `{"ok", "summary", "counts", "findings"}`, ended by a newline."""
    counts = {each.value: report.count(each) for each in Severity}
    ok = not counts[Severity.ERROR]
    data = {
        "ok": ok,
        "summary": (report.summary or None) if ok else None,
        "counts": counts,
        "findings": [_entry(each) for each in report.findings],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _entry(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "file": finding.file or None,
        "line": finding.line or None,
        "column": finding.column or None,
        "path": finding.path or None,
        "message": finding.message,
    }
