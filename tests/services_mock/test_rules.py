"""The pure parts: units, pages, masks."""

from __future__ import annotations

import pytest

from services_mock.contract import catalog
from services_mock.failure import Failure
from services_mock.masks import update
from services_mock.pages import page
from services_mock.units import seconds, size


@pytest.mark.parametrize(
    ("text", "value"),
    [("200ms", 0.2), ("1.5s", 1.5), ("2m", 120), ("1h", 3600), ("0s", 0), ("50us", 5e-5)],
)
def test_seconds(text, value):
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"), [("65536", 65536), ("64KiB", 65536), ("4MiB", 4 * 2**20), ("1.5KiB", 1536)]
)
def test_size(text, value):
    assert size(text) == value


@pytest.mark.parametrize("read", [seconds, size])
@pytest.mark.parametrize("text", ["", "ms", "1 s", "-1s", "1parsec", "1e3s", "٣s", "1" * 13 + "s"])
def test_what_is_no_quantity(read, text):
    with pytest.raises(ValueError, match="is not a"):
        read(text)


@pytest.mark.parametrize("length", [0, 1, 20, 21, 100])
@pytest.mark.parametrize("asked", [1, 7, 20])
def test_pages_cover_a_list(length, asked):
    items, seen, token = list(range(length)), [], ""
    while True:
        some, token = page(items, asked, token)
        seen += some
        if not token:
            break
    assert seen == items


@pytest.mark.parametrize(("asked", "sent"), [(0, 20), (100, 100), (101, 100), (2**31 - 1, 100)])
def test_page_sizes_are_bounded(asked, sent):
    some, _ = page(range(500), asked, "")
    assert len(some) == sent


def changed(paths, keep=(), **source):
    target = catalog.Product(
        id="p1", title="old", tags=["a"], price={"units": 1, "nanos": 2}, subtitle="s"
    )
    update(target, catalog.Product(**source), paths, keep)
    return target


@pytest.mark.parametrize(
    ("paths", "source", "expected"),
    [
        pytest.param(["title"], {"title": "new"}, {"title": "new"}, id="scalar"),
        pytest.param(["title"], {}, {"title": ""}, id="scalar to its default"),
        pytest.param(["subtitle"], {}, {"subtitle": None}, id="optional taken away"),
        pytest.param(["subtitle"], {"subtitle": ""}, {"subtitle": ""}, id="optional and empty"),
        pytest.param(["tags"], {"tags": ["b"]}, {"tags": ["b"]}, id="repeated is replaced"),
        pytest.param(
            ["price.units"],
            {"price": {"units": 9, "nanos": 9}},
            {"price": {"units": 9, "nanos": 2}},
            id="nested leaves its neighbours",
        ),
        pytest.param(["price"], {"price": {"units": 9}}, {"price": {"units": 9}}, id="message"),
        pytest.param(["price"], {}, {"price": None}, id="message taken away"),
        pytest.param(
            ["labels"], {"labels": {"k": "v"}}, {"labels": {"k": "v"}}, id="map is replaced"
        ),
        pytest.param([], {"title": "new"}, {"title": "new"}, id="empty: what is filled"),
        pytest.param(
            ["*"],
            {"title": "new"},
            {"title": "new", "tags": [], "price": None, "subtitle": None},
            id="star: everything",
        ),
    ],
)
def test_mask(paths, source, expected):
    wanted = {
        "id": "p1",
        "title": "old",
        "tags": ["a"],
        "price": {"units": 1, "nanos": 2},
        "subtitle": "s",
        **expected,
    }
    assert changed(paths, keep=["id"], **source) == catalog.Product(**wanted)


@pytest.mark.parametrize("path", ["nothing", "title.x", "tags.0", "price.nothing", "", "labels.k"])
def test_a_path_that_leads_nowhere_changes_nothing(path):
    target = catalog.Product(title="old")
    with pytest.raises(Failure, match="update_mask"):
        update(target, catalog.Product(title="new"), ["title", path], keep=())
    assert target.title == "old"
