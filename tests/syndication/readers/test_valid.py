"""Every document against rules that were written from the specifications."""

import json
import subprocess
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import fastjsonschema
import pytest
from lxml import etree

from tests.syndication.newsroom import Reader
from tests.syndication.readers.press import Press
from tests.syndication.readers.programs import installed

RULES = Path(__file__).resolve().parents[2] / "feeds"
obeys_json_feed = fastjsonschema.compile(json.loads((RULES / "jsonfeed.schema.json").read_text("utf-8")))


def documents(press: Press, feed_format: str) -> list[bytes]:
    """Every feed in one format, the empty guide among them, and an archive."""
    press.house.articles(*(f"News {number}" for number in range(20)))
    reader: Reader = press.house.reader
    paths = [*press.feeds(), "/feeds/guide", "/feeds/all/archive/14"]
    answers = [reader.get(f"{path}.{feed_format}", address="127.0.0.1") for path in paths]
    assert {answer.status for answer in answers} == {200}
    return [answer.data for answer in answers]


def test_every_atom_document_is_valid(press: Press, tmp_path: Path) -> None:
    """By two validators that share no code: libxml2's and jing, which is written in Java."""
    schema = etree.RelaxNG(etree.parse(RULES / "atom.rng"))
    files = []
    for number, data in enumerate(documents(press, "atom")):
        schema.assertValid(etree.fromstring(data, etree.XMLParser(huge_tree=True)))
        files.append(tmp_path / f"{number}.atom")
        files[-1].write_bytes(data)

    command = [installed("jing", "jing"), str(RULES / "atom.rng"), *map(str, files)]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, b"")


def test_every_json_document_is_valid(press: Press) -> None:
    for data in documents(press, "json"):
        obeys_json_feed(json.loads(data))


def test_every_rss_document_has_what_the_profile_asks_for(press: Press) -> None:
    for data in documents(press, "rss"):
        channel = etree.fromstring(data, etree.XMLParser(huge_tree=True))[0]
        for name in ("title", "link", "description", "language", "lastBuildDate", "ttl"):
            assert channel.findtext(name), name
        guids = [item.findtext("guid") for item in channel.iter("item")]
        assert len(set(guids)) == len(guids)
        for item in channel.iter("item"):
            guid = item.find("guid")
            assert guid is not None
            assert guid.get("isPermaLink") == "false"
            assert parsedate_to_datetime(item.findtext("pubDate") or "").utcoffset() == timedelta(0)
            assert len(item.findall("enclosure")) <= 1


@pytest.mark.parametrize("feed_format", ["atom", "rss"])
def test_xml_parsers_that_trust_nobody_read_the_feeds(press: Press, feed_format: str) -> None:
    """Without entities from outside, without a document type."""
    for data in documents(press, feed_format):
        assert b"<!DOCTYPE" not in data
        assert data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
