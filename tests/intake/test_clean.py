import re

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.errors import SubmissionError
from publisher.intake.blocks import clean_html
from publisher.intake.clean import ATTRIBUTES, TAGS, clean_fragment, clean_text, one_line

ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=https://a.example/x.png onerror=alert(1)//",
    '<img src="https://a.example/x.png" onload="alert(1)" style="position:fixed">',
    '<img """><script>alert(1)</script>">',
    "<img/src='javascript:alert(1)'>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><a xlink:href=javascript:alert(1)>x</a></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<style><img src='</style><img src=x onerror=alert(1)//'></style>",
    "<title><img src='</title><img src=x onerror=alert(1)>'></title>",
    "<textarea><img src='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object><embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "<a href='java&#x0B;script:alert(1)'>x</a>",
    "<a href='&#106;&#97;vascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='//evil.example' onclick=alert(1) target=_blank>x</a>",
    "<p style='background:url(javascript:alert(1))' onmouseover=alert(1)>x</p>",
    "<div style='behavior:url(x)' id=x class=y>z</div>",
    "<base href='javascript:alert(1)//'><a href=x>y</a>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href='javascript:alert(1)'>",
    "<body onload=alert(1)><p>x</p>",
    "<table background='javascript:alert(1)'><td background='javascript:alert(1)'>x</td></table>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<input autofocus onfocus=alert(1)><button formaction=javascript:alert(1)>x</button>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<template><script>alert(1)</script></template>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
    "<b><p><b></p><script>alert(1)</script>",
    "<plaintext><script>alert(1)</script>",
]


def assert_is_safe(html: str) -> None:
    """Judge with another parser than those that cleaned, the way a browser would read it."""
    tree = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag == "DOCUMENT_FRAGMENT":
            continue
        assert element.tag in TAGS
        for name, value in element.attrib.items():
            assert name in ATTRIBUTES["*"] | ATTRIBUTES.get(element.tag, set())
            if name in {"href", "src"}:
                assert re.match("https?://|mailto:", value)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_in_html_comes_through(attack: str) -> None:
    assert_is_safe(clean_html(attack))
    assert_is_safe(clean_html(attack, base_url="https://news.example.com/a"))
    assert_is_safe(clean_html(f"<p>before {attack} after</p>"))
    assert_is_safe(clean_fragment(attack))


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(ATTACKS), st.text(max_size=5), st.sampled_from(["'", '"', ">", "<!--"]))))
def test_no_mixture_of_attacks_comes_through(pieces: list[str]) -> None:
    try:
        assert_is_safe(clean_html("".join(pieces)))
    except SubmissionError:
        return


def test_scripts_go_and_the_text_around_them_stays() -> None:
    assert clean_html("<p>one <script>evil()</script>two</p>") == "<p>one two</p>"


def test_what_an_article_is_made_of_stays() -> None:
    html = (
        '<p lang="ko">말 <em>a</em> <strong>b</strong> <a href="mailto:desk@example.org">c</a></p>\n'
        '<blockquote><p>q</p></blockquote>\n<ol start="3"><li>x<ul><li>y</li></ul></li></ol>\n'
        '<figure><img src="https://a.example/p.jpg" alt="a &gt; b" width="640"><figcaption>f</figcaption></figure>\n'
        "<h3>s</h3>\n<pre><code>a &lt; b\n  c</code></pre>\n"
        '<table><tbody><tr><th scope="row">h</th><td colspan="2">d</td></tr></tbody></table>\n<hr>'
    )

    assert clean_html(html) == html


def test_no_heading_stands_above_h3() -> None:
    assert (
        clean_html("<h1>a</h1><blockquote><h2>b</h2></blockquote>") == "<h3>a</h3>\n<blockquote><h3>b</h3></blockquote>"
    )


def test_loose_text_and_nested_divs_become_paragraphs() -> None:
    assert clean_html("<div>one<div>two<p>three</p></div> four <b>five</b></div>") == (
        "<p>one</p>\n<p>two</p>\n<p>three</p>\n<p> four <b>five</b></p>"
    )


def test_words_in_neighbouring_blocks_do_not_grow_together() -> None:
    assert clean_html("<ul><li><section>a</section><section>b</section></li></ul>") == (
        "<ul><li><div>a</div><div>b</div></li></ul>"
    )


def test_relative_links_are_resolved_or_become_text() -> None:
    html = '<p><a href="../b?c=1#d">x</a> <img src="/p.jpg" alt=""> <a href="#note">n</a></p>'

    assert clean_html(html, base_url="https://news.example.com/a/1") == (
        '<p><a href="https://news.example.com/b?c=1#d">x</a> <img src="https://news.example.com/p.jpg" alt=""> '
        '<a href="https://news.example.com/a/1#note">n</a></p>'
    )
    assert clean_html(html) == "<p>x  n</p>"


def test_a_link_around_paragraphs_goes_into_them() -> None:
    assert clean_html('<a href="https://a.example/"><h3>T</h3><p>S</p></a>') == (
        '<h3><a href="https://a.example/">T</a></h3>\n<p><a href="https://a.example/">S</a></p>'
    )


def test_pictures_from_inside_a_network_are_left_out() -> None:
    """A reader's mail program would ask his own router for them."""
    assert clean_html('<p>a<img src="http://192.168.0.1/x.png"><img src="http://localhost/x">b</p>') == "<p>ab</p>"


def test_text_after_a_stray_end_of_page_is_kept() -> None:
    assert clean_html("<html><body><p>a</p></body></html><p>b</p>") == "<p>a</p>\n<p>b</p>"


def test_html_nested_beyond_reason_is_refused_and_not_cut() -> None:
    with pytest.raises(SubmissionError, match="more than 256 elements inside each other"):
        clean_html("<blockquote>" * 300 + "lost?" + "</blockquote>" * 300)


@pytest.mark.parametrize("forbidden", ["\x00", "\x08", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_characters_that_xml_forbids_are_dropped(forbidden: str) -> None:
    assert clean_text(f"a{forbidden}b") == "ab"
    assert clean_html(f"<p>a{forbidden}b&#{ord(forbidden)};c&#x{ord(forbidden):X};d</p>") == "<p>abcd</p>"


def test_other_characters_are_not_touched() -> None:
    text = "\t“’–—…” 한국 🎈 \u200d \x85 \U0010fffd"

    assert clean_text(text) == text
    assert clean_text("a\r\nb\rc\x0cd") == "a\nb\nc\nd"
    assert one_line(" a\u00a0 b\n\tc ") == "a b c"


@settings(deadline=None)
@given(st.text())
def test_cleaning_clean_html_again_changes_nothing(text: str) -> None:
    """The archive cleans nothing: what intake hands over must already be at rest."""
    once = clean_fragment(text)

    assert clean_fragment(once) == once


WORDS = st.integers(0, 999).map("w{}".format)
PLAIN = ["p", "div", "span", "section", "b", "a", "li", "ul", "td", "table", "h2", "h4", "blockquote", "x-card", "font"]
TREES = st.recursive(
    WORDS,
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{' '.join(parts)}</{tag}>", st.sampled_from(PLAIN), st.lists(inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.lists(TREES, max_size=5).map("".join))
def test_no_word_of_html_is_lost_however_its_elements_are_nested(html: str) -> None:
    seen = re.findall(r"w\d+", re.sub("<[^>]+>", " ", clean_html(html)))

    assert sorted(seen) == sorted(re.findall(r"w\d+", html))  # text straight inside a table moves in front of it
