import pytest

from publisher.markup import text_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("<p>Salt &amp; <em>patience</em>&nbsp;&lt;3</p>", "Salt & patience\xa0<3"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<table><tr><th>Won</th><td>1</td></tr></table>", "Won\n1"),
        ("<dl><dt>소금</dt><dd>salt</dd></dl>", "소금\nsalt"),
        ("<p>One<br>Two</p>\n<blockquote><p>Three</p></blockquote>", "One\nTwo\nThree"),
        ("", ""),
    ],
)
def test_blocks_become_lines_and_words_never_run_together(html: str, text: str) -> None:
    assert text_of(html) == text
