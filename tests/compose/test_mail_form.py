"""What every mail must be so that every mail reader shows it, looked for in the golden mails."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import Element

import html5lib
import pytest

from publisher.compose.model import EditionKind
from publisher.compose.render import HTML_AT_MOST_BYTES
from publisher.compose.slots import Slot, marker
from tests.compose.golden import rendered

RENDERED = rendered()
MAILS = sorted(name for name in RENDERED if name.endswith(".html") and not name.endswith(".page.html"))
PAGES = sorted(name for name in RENDERED if name.endswith(".page.html"))
ISSUES = [name for name in MAILS if name.partition(".")[0] in set(EditionKind)]
TEXTS = sorted(name for name in RENDERED if name.endswith(".txt") and name != "subjects.txt")
STYLES_AT_MOST_BYTES = 16_000
SMALLEST_PX = 14

each_mail = pytest.mark.parametrize("name", MAILS)
each_page = pytest.mark.parametrize("name", PAGES)
each_issue = pytest.mark.parametrize("name", ISSUES)


def parsed(name: str) -> Element:
    """The mail as a browser reads it; any parse error fails."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parseFragment(RENDERED[name]) if name in PAGES else parser.parse(RENDERED[name])
    assert isinstance(document, Element)
    return document


def styles(name: str) -> Iterator[str]:
    """Every declaration, inline and in style sheets."""
    for element in parsed(name).iter():
        yield element.get("style", "")
        if element.tag == "style":
            yield element.text or ""


@each_mail
def test_a_mail_says_its_language_and_direction_twice(name: str) -> None:
    """Webmail drops the html element; the wrapper keeps what a screen reader needs."""
    language = name.split(".")[1]
    root = parsed(name)
    wrapper = root.find("body/div[@role='article']")

    assert wrapper is not None
    for element in (root, wrapper):
        assert (element.get("lang"), element.get("dir")) == (language, "ltr")


@each_mail
def test_layout_tables_are_no_tables_to_a_screen_reader(name: str) -> None:
    tables = list(parsed(name).iter("table"))
    data = [table for table in tables if table.find(".//th") is not None and table.find(".//table") is None]

    assert [table.get("role") for table in tables if table not in data] == ["presentation"] * (len(tables) - len(data))


@each_mail
def test_every_picture_has_a_description_and_a_width(name: str) -> None:
    """Many readers see no pictures; Outlook shows one without a width as large as it is."""
    for picture in parsed(name).iter("img"):
        assert picture.get("alt")
        assert int(picture.get("width", "")) <= 600


@each_mail
def test_every_address_is_absolute(name: str) -> None:
    urls = [element.get(key) for element in parsed(name).iter() for key in ("href", "src") if element.get(key)]

    assert urls
    slots = {marker(slot) for slot in Slot}
    assert [url for url in urls if url not in slots and not str(url).startswith(("https://", "mailto:"))] == []


@each_mail
def test_nothing_is_fetched_but_pictures(name: str) -> None:
    tags = {element.tag for element in parsed(name).iter()}

    assert tags.isdisjoint({"link", "script", "iframe", "object", "svg", "form"})
    for style in styles(name):
        assert not re.search(r"@import|@font-face|url\(", style)
    assert "googleapis" not in RENDERED[name]
    assert "data:" not in RENDERED[name]


@each_mail
def test_no_style_is_used_that_mail_readers_do_not_know(name: str) -> None:
    for style in styles(name):
        assert not re.search(r"display\s*:\s*(?:flex|grid|inline-flex)|\bposition\s*:|var\(|\bfloat\s*:", style)


@each_mail
def test_style_sheets_stand_in_the_head_and_are_small(name: str) -> None:
    """Gmail drops them all when they have more than 16 KB."""
    root = parsed(name)
    body = root.find("body")

    assert body is not None
    assert list(body.iter("style")) == []
    assert sum(len((style.text or "").encode()) for style in root.iter("style")) <= STYLES_AT_MOST_BYTES


@each_mail
def test_no_text_is_smaller_than_can_be_read(name: str) -> None:
    """0 and 1 px are for spacers and the preheader."""
    sizes = {float(size) for style in styles(name) for size in re.findall(r"font-size:\s*([\d.]+)px", style)}

    assert {size for size in sizes if 1 < size < SMALLEST_PX} == set()
    assert not any(re.search(r"font-size:\s*[\d.]+(?:em|rem|%|pt)", style) for style in styles(name))


@each_mail
def test_a_mail_is_fit_for_the_dark(name: str) -> None:
    metas = {meta.get("name"): meta.get("content") for meta in parsed(name).iter("meta")}

    assert metas["color-scheme"] == metas["supported-color-schemes"] == "light dark"
    assert "prefers-color-scheme: dark" in RENDERED[name]


@each_mail
def test_a_mail_is_not_clipped(name: str) -> None:
    assert len(RENDERED[name].encode()) <= HTML_AT_MOST_BYTES


@each_mail
def test_the_first_words_are_the_preheader_and_nothing_that_follows(name: str) -> None:
    body = parsed(name).find("body")
    assert body is not None
    preheader = body[0]

    assert "display:none" in preheader.get("style", "")
    visible, invisible = (preheader.text or "")[:-150], (preheader.text or "")[-150:]
    assert visible.strip("\u034f\u200c\u00a0")
    assert set(invisible) <= set("\u034f\u200c\u00a0")


@each_mail
def test_all_tags_are_closed_where_they_were_opened(name: str) -> None:
    """A browser mends crossed tags; Outlook does not."""
    checker = _Balance()
    checker.feed(RENDERED[name])

    assert checker.open == []


class _Balance(HTMLParser):
    VOID = frozenset(("meta", "img", "br", "hr", "link", "input"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag, self.getpos()


@each_issue
def test_an_issue_tells_why_it_came_and_how_to_leave(name: str) -> None:
    """Receivers demand a visible way out; the law, a postal address."""
    text = RENDERED[name.replace(".html", ".txt")]
    for part in (RENDERED[name], text):
        for slot in (Slot.UNSUBSCRIBE_URL, Slot.PREFERENCES_URL, Slot.READ_URL, Slot.NAME, Slot.ADDRESS):
            assert part.count(marker(slot)) == 1, slot
        assert "12 Sejong-daero" in " ".join(part.split())
        for slot in (Slot.ONE_CLICK_URL, Slot.MESSAGE_ID, Slot.DATE):
            assert marker(slot) not in part


@pytest.mark.parametrize("name", [name for name in MAILS if name.startswith("confirmation")])
def test_a_confirmation_is_for_one_reader_and_has_no_slot(name: str) -> None:
    for part in (RENDERED[name], RENDERED[name.replace(".html", ".txt")]):
        assert not any(marker(slot) in part for slot in Slot)


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_part_fits_a_terminal(name: str) -> None:
    for line in RENDERED[name].splitlines():
        words = line.split()
        assert len(line) <= 72 or words[-1].startswith(("https://", "x-slot")), line


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_part_is_written_as_text(name: str) -> None:
    text = RENDERED[name]

    assert not re.search(r"<[a-z/]|&(?:amp|lt|gt|quot|nbsp|#\d+);", text)
    assert "\n\n\n" not in text
    assert "\u034f" not in text


@each_page
def test_a_page_is_semantic_and_holds_no_slot(name: str) -> None:
    root = parsed(name)

    assert not any(marker(slot) in RENDERED[name] for slot in Slot)
    assert [table for table in root.iter("table") if table.find(".//th") is None] == []
    assert [element for element in root.iter() if element.get("style")] == []
    assert len(list(root.iter("h1"))) == 1
    assert all(picture.get("alt") is not None for picture in root.iter("img"))


@each_page
def test_links_inside_a_page_have_a_place_to_go_to(name: str) -> None:
    root = parsed(name)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    targets = [str(link.get("href"))[1:] for link in root.iter("a") if str(link.get("href")).startswith("#")]

    assert len(set(ids)) == len(ids)
    assert set(targets) <= set(ids)
