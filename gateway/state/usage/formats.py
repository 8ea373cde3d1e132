"""How usage is written: as CSV for spreadsheets, and in the text format of Prometheus."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.state.usage.counts import NUMBERS
from gateway.state.usage.question import COLUMNS, Answer

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP, "CSV Injection"

_HELP: Final[Mapping[str, str]] = {
    "calls": "Calls that ended.",
    "errors": "Calls that ended with another status than OK.",
    "request_messages": "Messages from clients.",
    "request_bytes": "Bytes of messages from clients.",
    "reply_messages": "Messages to clients.",
    "reply_bytes": "Bytes of messages to clients.",
}
_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def columns_of(answer: Answer) -> list[str]:
    """Returns the columns that tell the rows of an answer apart."""
    return [column for each in answer["by"] for column in COLUMNS[each]]


def csv_of(answer: Answer) -> str:
    """Returns an answer as CSV (RFC 4180), with a header.

    What a spreadsheet would take for a formula begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns = columns_of(answer)
    writer.writerow(["period", *columns, *NUMBERS])
    for row in answer["rows"]:
        told = [_no_formula(row[column]) for column in columns]
        writer.writerow([answer["period"], *told, *(row[name] for name in NUMBERS)])
    return out.getvalue()


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def prometheus_of(answer: Answer) -> str:
    """Returns an answer in the text format of Prometheus, version 0.0.4.

    The period is no label: a counter that begins anew is usual there.
    """
    return "".join(line for name in NUMBERS for line in _family(answer, name))


def _family(answer: Answer, name: str) -> Iterator[str]:
    metric = f"gateway_usage_{name}_total"
    yield f"# HELP {metric} {_HELP[name]}\n# TYPE {metric} counter\n"
    columns = columns_of(answer)
    for row in answer["rows"]:
        yield f"{metric}{_labels(row, columns)} {row[name]}\n"


def _labels(row: Mapping[str, Any], columns: list[str]) -> str:
    pairs = [f'{column}="{row[column].translate(_ESCAPED)}"' for column in columns]
    return f"{{{','.join(pairs)}}}" if pairs else ""
