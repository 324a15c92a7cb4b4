"""Who hands in a script is told that it is no part of the article."""

import pytest

from publisher.intake.left_out import left_out

PAGE = "<h1>Title</h1>\n<p>Text.</p>\n"


@pytest.mark.parametrize(
    ("name", "source", "sentence"),
    [
        ("a.html", PAGE, ""),
        ("a.html", PAGE + "<script>alert(1)</script>", "A script in line 3 was left out."),
        ("a.html", PAGE + '<p class="x" onclick="alert(1)">Text.</p>', "A script in line 3 was left out."),
        ("a.html", PAGE + '<p><a href=" javascript:alert(1)">Text</a></p>', "A script in line 3 was left out."),
        ("a.html", "<SCRIPT src=x>\n</SCRIPT>" * 2 + PAGE, "2 scripts were left out, the first of them in line 1."),
        ("a.md", "# Title\n\n<img src=x onerror=alert(1)>\n\nText.", "A script in line 3 was left out."),
        ("a.json", '{"title": "T", "html": "<p onclick=\\"x\\">Text.</p>"}', "A script in line 1 was left out."),
        ("a.txt", "Title\n\nHow to write <script> in a page.\n", ""),
        ("a.html", PAGE + "<p>He carries on = she said; the javascript: scheme.</p>", ""),
    ],
)
def test_scripts_are_told_of_with_their_line(name: str, source: str, sentence: str) -> None:
    assert left_out(source.encode(), name=name) == sentence


def test_five_megabytes_of_open_brackets_are_looked_through_in_one_go() -> None:
    assert left_out(b"<a " * 1_600_000, name="a.html") == ""
