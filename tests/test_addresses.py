"""Which addresses are asked: the whole table of the proof, and anything that Hypothesis can think of."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proofs.addresses import Form, allowed, ask, misses, refused
from tests.standins.fake_network import Canary
from tools.base import FailureKind, SourceError
from tools.web.addresses import addresses_of, check_url, is_public, resolve


async def test_every_form_of_a_private_address_is_refused_and_every_ordinary_one_is_asked(tmp_path: Path) -> None:
    assert len(refused()) >= 120
    assert len(allowed()) >= 30
    with Canary() as canary:
        assert await misses(tmp_path, canary) == []


async def test_the_canary_sings_when_somebody_reaches_the_house(tmp_path: Path) -> None:
    with Canary() as canary:
        outcome = await ask(
            Form("", "https://example.com/", mirrors={"*": "http://127.0.0.1/{host}"}), tmp_path, canary
        )
        assert outcome.said == "page"
        assert canary.connections == 1


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://127.0.0.1", "http://[", "http://x@"]))
def test_any_text_is_a_public_target_or_a_refusal(text: str, before: str) -> None:
    target = None
    with suppress(SourceError):  # and nothing else
        target = check_url(before + text)
    if target is not None:
        assert target.port in (80, 443)
        assert "." in target.host or ":" in target.host
        assert check_url(str(target.url)).host == target.host, "what is asked is read as what was checked"


@given(st.ip_addresses(v=4))
def test_only_global_ipv4_addresses_are_public_and_no_wrapping_in_ipv6_helps(ip: ipaddress.IPv4Address) -> None:
    assert not is_public(str(ip)) or (ip.is_global and not ip.is_multicast)
    assert is_public(f"64:ff9b::{ip}") == is_public(str(ip))
    for form in (f"::ffff:{ip}", f"::{ip}", f"64:ff9b:1::{ip}", f"2606:4700::5efe:{ip}"):
        assert not is_public(form)


@given(st.ip_addresses(v=6))
def test_only_global_unicast_ipv6_addresses_are_public(ip: ipaddress.IPv6Address) -> None:
    nat64 = ip in ipaddress.IPv6Network("64:ff9b::/96")
    assert not is_public(str(ip)) or nat64 or (ip.is_global and ip in ipaddress.IPv6Network("2000::/3"))
    assert not is_public(f"{ip}%eth0")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("intranet", "http://intranet/x"),
        ("127.0.0.1", "http://127.0.0.1:8080/"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("::1:8080", "http://[::1]:8080/"),
        ("wiki.internal", "http://WIKI.internal./"),
    ],
)
def test_a_host_that_the_operator_named_is_trusted(entry: str, url: str) -> None:
    assert check_url(url, frozenset({entry})).trusted


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9090/", "http://x.intranet/", "http://intranet@127.0.0.1/", "ftp://intranet/", "http://intranet:0/"]
)  # fmt: skip
def test_trust_goes_no_further_than_the_name(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        check_url(url, frozenset({"127.0.0.1:8080", "intranet"}))
    assert caught.value.kind is FailureKind.REFUSED_ADDRESS


async def test_a_name_that_is_not_found_is_unreachable_and_not_refused() -> None:
    async def lost(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    async def empty(host: str, port: int) -> list[str]:
        return []

    for resolver in (lost, empty):
        with pytest.raises(SourceError) as caught:
            await addresses_of("nowhere.example.com", 443, resolver, trusted=False)
        assert caught.value.kind is FailureKind.UNREACHABLE


async def test_the_systems_own_names_of_loopback_are_refused() -> None:
    with pytest.raises(SourceError) as caught:
        await addresses_of("localhost", 80, resolve, trusted=False)
    assert caught.value.kind is FailureKind.REFUSED_ADDRESS
