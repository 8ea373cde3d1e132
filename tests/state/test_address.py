"""URLs of a Redis: what they say, and that no word of them shows who one is there."""

from urllib.parse import quote

import pytest

from gateway.state.address import Address, AddressError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://r", Address("r")),
        ("redis://r:7000/3", Address("r", 7000, 3)),
        ("redis://r/", Address("r")),
        ("redis://[::1]:7000", Address("::1", 7000)),
        ("redis://:pass@r", Address("r", password="pass")),
        ("redis://ann:p%40ss%2F@r", Address("r", username="ann", password="p@ss/")),
        ("rediss://r:6380", Address("r", 6380, tls=True)),
        ("rediss://r?ssl_ca_certs=/etc/ca.pem", Address("r", tls=True, ca="/etc/ca.pem")),
    ],
)
def test_what_a_url_says(url, address):
    assert Address.of(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis:///0",
        "http://hunter2@r",
        "redis://hunter2@r:port",
        "redis://hunter2@r:99999",
        "redis://:hunter2@r/zero",
        "redis://:hunter2@r/-1",
        "redis://:hunter2@r/0/1",
        "redis://:hunter2@r/1000000",
        "redis://:hunter2@r#0",
        "redis://:hunter2@r?db=hunter2",
        "redis://:hunter2@r?ssl_ca_certs=/ca.pem",
        "rediss://:hunter2@r?ssl_cert_reqs=none",
        "redis://:hunter2@[::1",
    ],
)
def test_what_is_none_is_refused_without_being_repeated(url):
    with pytest.raises(AddressError) as refused:
        Address.of(url)
    assert "hunter2" not in str(refused.value)
    assert "redis" in str(refused.value) or "option" in str(refused.value)


@pytest.mark.parametrize("url", ["redis://:p w@ho st/0", "redis://ho\xa0st", "redis://ho\x7fst"])
def test_a_host_has_no_spaces(url):
    with pytest.raises(AddressError, match="a host has no spaces"):
        Address.of(url)


@pytest.mark.parametrize("secret", "@/#?:%")
@pytest.mark.parametrize("path", ["/0", "", "/0?ssl_ca_certs=/ca.pem"])
def test_what_has_a_meaning_in_urls_is_to_be_percent_encoded(secret, path):
    whole = f"hunter{secret}2x"
    url = f"rediss://ann:{quote(whole, safe='')}@r{path}"
    assert Address.of(url).password == whole
    raw = url.replace(quote(whole, safe=""), whole)
    if secret in "@:":  # where nothing else can be meant
        assert Address.of(raw).password == whole
        return
    with pytest.raises(AddressError, match="percent-encode @, /, #, \\?, : and % in") as refused:
        Address.of(raw)
    assert "hunter" not in str(refused.value)


@pytest.mark.parametrize(
    "secret", ["77/7", "77#7", "77?7", "77@/7", "/7", "7@7/7", "7?ssl_ca_certs=7"]
)
def test_a_password_that_is_cut_at_a_sign_is_no_port_and_no_database(secret):
    with pytest.raises(AddressError, match="percent-encode") as refused:
        Address.of(f"rediss://ann:{secret}@localhost/0")
    assert "7" not in str(refused.value)


def test_it_shows_no_secret():
    address = Address.of("rediss://ann:hunter2@r:7000/2")
    assert str(address) == "rediss://r:7000/2"
    assert "hunter2" not in repr(address)
    assert str(Address.of("redis://[::1]:7000")) == "redis://[::1]:7000/0"


def test_another_server_is_shown_the_same():
    address = Address.of("redis://ann:hunter2@r:7000/2").at("s", 7001)
    assert address == Address("s", 7001, 2, "ann", "hunter2")
