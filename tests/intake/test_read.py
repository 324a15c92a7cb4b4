import codecs
import json
from dataclasses import astuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from publisher.errors import SubmissionError
from publisher.intake.read import MOST_BYTES, SUFFIXES, read

TEXT = "제목 – “Title”\n\nA paragraph.\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
    ],
)
def test_a_text_is_read_in_every_encoding_that_names_itself(data: bytes) -> None:
    draft = read(data, name="a.txt")

    assert draft.title == "제목 – “Title”"
    assert draft.sections[0].html == "<p>A paragraph.</p>"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.txt", "# Title\nText."),
        ("A.TXT", "# Title\nText."),
        ("a.md", "# Title\nText."),
        ("a.html", "<h1>Title</h1>Text."),
        ("a.json", '{"title": "Title", "body": "Text."}'),
        ("", "Title\nText."),
        ("upload", "# Title\nText."),
        ("upload", "---\ntitle: Title\n---\nText."),
        ("upload.bin", "\n<!DOCTYPE html><h1>Title</h1>Text."),
        ("upload", '{"title": "Title", "body": "Text."}'),
    ],
)
def test_the_form_is_told_by_the_name_or_else_by_the_first_characters(name: str, source: str) -> None:
    draft = read(source.encode(), name=name)

    assert draft.title == ("# Title" if name.lower() == "a.txt" else "Title")
    assert draft.sections[0].html == "<p>Text.</p>"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.txt", b"", "a.txt: It is empty."),
        ("a.txt", b" \n", "a.txt: It is empty."),
        (
            "a.txt",
            b"T\n" + b"x" * MOST_BYTES,
            "a.txt: It has 5,242,882 bytes; at most 5 MB (5,242,880 bytes) are possible.",
        ),
        ("a.txt", b"Caf\xe9\n", "a.txt, byte 3: It is not UTF-8: byte 0xE9 does not fit there. Save it as UTF-8."),
        (
            "a.txt",
            codecs.BOM_UTF16_LE + b"a\x00\x00\xd8b\x00",
            "a.txt, byte 4: It is not UTF-16-LE: byte 0x00 does not fit there. Save it as UTF-8.",
        ),
        ("a.pdf", b"%PDF-1.7 ...", "a.pdf: It is a PDF; hand in plain text, Markdown, HTML or JSON."),
        (
            "a.docx",
            b"PK\x03\x04...",
            "a.docx: It is an office document or archive; hand in plain text, Markdown, HTML or JSON.",
        ),
        (
            "a.md",
            b"---\ntitle: T\nslug: a b\n---\nx",
            "a.md, slug: “a b” may hold letters, digits and hyphens only; write it like a-year-of-ties.",
        ),
        ("", b"T", "The article has a title, but no text below it."),
    ],
)
def test_a_file_that_is_no_article_is_told_why_and_where(name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(SubmissionError) as refused:
        read(data, name=name)

    assert str(refused.value) == sentence


def test_relative_links_are_resolved_where_we_know_where_the_file_came_from() -> None:
    html = read(b"# T\n\n[x](y)", name="a.md", base_url="https://a.example/b/c").sections[0].html

    assert html == '<p><a href="https://a.example/b/y">x</a></p>'


PIECES = [
    *("<p>", "</p>", "<h1>", "<h2>", "<a href='", "'>", "<img src=", "<!--", "<table>", "<td>", "<script>", "<svg>"),
    *("<title>", "<base href='http://[", "<link rel=canonical href=", "<meta property=og:image content=", "<frameset>"),
    *("&#11;", "&#xd800;", "&", "---\n", "title: x\n", "a: &a [*a]\n", "image: ", "http://", "[", "](", "`", "|", "- "),
    *("\n", "\n\n", " ", "\ud800", "\x00", "\u2028", "“", "한국", "Discover More\n", "Foreign Fans' Guide\n", "word."),
    *('{"title":', '"x"', ",", '"body":', "}", "1e999", "\\ud800"),
]
NAMES = st.sampled_from([*sorted(SUFFIXES), ""])


@settings(deadline=None)
@given(NAMES, st.one_of(st.binary(), st.text().map(str.encode)))
@example(".json", b'{"title": "T", "body": "x", "importance": NaN}')
@example(".md", b"---\ntitle: T\n? [a]\n: b\n---\nx")
def test_any_bytes_are_an_article_or_a_sentence(name: str, data: bytes) -> None:
    read_or_refused(data, name=f"a{name}")


@settings(deadline=None)
@given(NAMES, st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_mixture_of_what_articles_are_made_of_is_an_article_or_a_sentence(name: str, source: str) -> None:
    read_or_refused(source.encode(errors="surrogatepass"), name=f"a{name}")
    read_or_refused(source.encode(errors="replace"), name=f"a{name}")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["sections", "body", "format", "guide", "teasers", "image", "language", "authors", "publish_at", "importance"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=3), st.text())
def test_any_json_is_an_article_or_a_sentence(fields: dict[str, object], title: str) -> None:
    read_or_refused(json.dumps({"title": title, "body": "x"} | fields).encode(), name="a.json")


def read_or_refused(data: bytes, *, name: str) -> None:
    try:
        draft = read(data, name=name)
    except SubmissionError as refused:
        assert str(refused).startswith(name)  # noqa: PT017 - either ending is right
    else:
        assert draft.title
        assert all(is_legal_in_xml(text) for text in texts(astuple(draft)))


def texts(value: object) -> list[str]:
    if isinstance(value, tuple):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []


def is_legal_in_xml(text: str) -> bool:
    """Ask a real XML library instead of our own pattern."""
    etree.Element("text").text = text  # raises ValueError where it is not
    return True
