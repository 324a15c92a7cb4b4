import html
import re
from collections.abc import Sequence
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr

import css_inline
import jinja2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mjml import mjml2html

from publisher.compose.slots import Slot, marker
from publisher.dispatch.dkim import relaxed_body
from publisher.dispatch.message import CompiledMessage
from publisher.errors import InputError, TemplateTextError
from tests.dispatch.mail import (
    ADDRESS,
    NAME,
    PREFERENCES,
    READ,
    UNSUBSCRIBE,
    a_letter,
    a_letterhead,
    parsed,
    part,
    reader_values,
)

ENGLISH = "The away end sang until the lights went out. "
KOREAN = "원정 응원석은 불이 꺼질 때까지 노래했다. "
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120),
    st.text("김민지 Ab<>&\"'.=,\\@()🎉👩‍👩‍👧é", max_size=80),
    st.text(max_size=40),
)
PROSE = st.one_of(
    st.text("abc .=F\n", max_size=300),
    st.text("원정 노래\n", max_size=300),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
)


def clean(name: str) -> str:
    """What is left of a name anywhere in a letter, written down independently of the code."""
    if name.isprintable():
        return name
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+", " ", name).strip()


def closed(text: str) -> str:
    """A text as a letter ends it: CRLF line ends, one at the end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").replace("\n", "\r\n") + "\r\n"


def assert_good_form(raw: bytes) -> None:
    lines = raw.split(b"\r\n")
    assert raw.endswith(b"\r\n")
    assert raw.isascii()
    assert b"\r" not in b"".join(lines)
    assert b"\n" not in b"".join(lines)
    assert all(len(line) <= 998 for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    body = raw.partition(b"\r\n\r\n")[2]
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert relaxed_body(body) == body


@given(fixed=st.lists(PROSE, min_size=4, max_size=4), name=NAMES)
@example(fixed=["", "", "", ""], name="")
@example(fixed=[".", "\n.", "\n", "."], name=".")
@example(fixed=["a" * 75, " ", "From ", " "], name="From me")
def test_what_a_reader_reads_is_what_was_written_with_his_own_values_in_it(fixed: Sequence[str], name: str) -> None:
    """Whatever the script, the length and the letters of both, in either encoding."""
    text = NAME.join(fixed[:3]) + UNSUBSCRIBE + fixed[3]
    markup = (
        NAME.join(map(html.escape, fixed[:3])) + f'<a href="{UNSUBSCRIBE}">{UNSUBSCRIBE}</a>' + html.escape(fixed[3])
    )
    values = reader_values(values={Slot.NAME: name, Slot.UNSUBSCRIBE_URL: "https://gazette.example/u?a=1&b='2'"})

    raw = a_letter(text=text, html=markup, fallbacks={Slot.NAME: "reader"}).splice(values)

    url, shown = values[Slot.UNSUBSCRIBE_URL], clean(name) if name else "reader"
    assert part(raw, "plain") == closed(shown.join(map(closed_inside, fixed[:3])) + url + closed_inside(fixed[3]))
    escaped = [html.escape(closed_inside(each)) for each in fixed]
    link = f'<a href="{html.escape(url)}">{html.escape(url)}</a>'
    assert part(raw, "html") == closed(html.escape(shown).join(escaped[:3]) + link + escaped[3])
    assert_good_form(raw)


def closed_inside(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(name=NAMES)
@example(name="Kim\r\nBcc: everybody@mail.example")
@example(name="Kim\x85Bcc: everybody@mail.example")
@example(name='"Kim" <kim@elsewhere.example>, Lee')
@example(name="=?utf-8?q?evil?=")
@example(name="김" * 400)
@example(name="a" * 400)
@example(name="ab " * 300)
def test_no_name_can_add_a_header_or_another_recipient(name: str) -> None:
    values = reader_values(values={Slot.NAME: name, Slot.ADDRESS: "minji@mail.example"})

    raw = a_letter(subject=f"{NAME}, good morning").splice(values)

    mail = parsed(raw)
    assert mail.keys() == parsed(a_letter().splice(reader_values())).keys()
    assert [one.addr_spec for one in mail["To"].addresses] == ["minji@mail.example"]
    assert parseaddr(str(mail["To"]))[1] == "minji@mail.example"
    assert_good_form(raw)
    assert all(len(line) <= 78 for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if b"https://" not in line)


@given(name=st.text("김민지 Abé<>&\"'🎉.,\\", min_size=1, max_size=90))
def test_the_reader_is_addressed_by_his_name(name: str) -> None:
    expected = " ".join(clean(name).split())

    raw = a_letter(subject=f"Good morning, {NAME}!", fallbacks={}).splice(reader_values(values={Slot.NAME: name}))

    # Not EmailMessage: this Python puts a space between two encoded words of a name (RFC 2047, section 6.2, has none).
    shown = parseaddr(message_from_bytes(raw)["To"])[0]
    assert str(make_header(decode_header(shown))) == expected
    assert str(parsed(raw)["Subject"]) == " ".join(f"Good morning, {clean(name)}!".split())


def test_a_reader_without_a_name_is_called_what_the_letter_says() -> None:
    mail = a_letter(text=f"Dear {NAME},\n", subject=f"For you, {NAME}", fallbacks={Slot.NAME: "friend of the house"})

    raw = mail.splice(reader_values(values={Slot.NAME: ""}))

    assert part(raw, "plain") == "Dear friend of the house,\r\n"
    assert parsed(raw)["Subject"] == "For you, friend of the house"
    assert parsed(raw)["To"] == "reader1@mail.example"


def test_every_header_a_newsletter_needs_is_there_once_and_in_order() -> None:
    letterhead = a_letterhead(reply_to="Desk <desk@gazette.example>", unsubscribe_mailto="leave@gazette.example")

    raw = a_letter(letterhead=letterhead).splice(reader_values())

    head = raw.partition(b"\r\n\r\n")[0].decode()
    boundary = re.search('boundary="([^"]+)"', head)
    assert boundary
    assert head.split("\r\n") == [
        "From: The Gazette <news@gazette.example>",
        "To: Minji Kim <reader1@mail.example>",
        "Subject: Good morning",
        "Reply-To: Desk <desk@gazette.example>",
        "Date: Tue, 02 Jun 2026 08:00:00 +0000",
        "Message-ID: <17.1@gazette.example>",
        "List-Id: Morning alert <morning.gazette.example>",
        "List-Unsubscribe:",
        f" <https://gazette.example/o/{1:032d}>,",
        " <mailto:leave@gazette.example>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Feedback-ID: 17:morning:alert:gazette",
        "Precedence: bulk",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        f' boundary="{boundary[1]}"',
    ]


def test_no_list_header_is_ever_an_encoded_word() -> None:
    """One click would die silently."""
    values = reader_values(values={Slot.ONE_CLICK_URL: "https://gazette.example/o/" + "가" * 90 + "?t=" + "x" * 300})

    raw = a_letter(letterhead=a_letterhead(list_name="아침 소식")).splice(values)

    lines = re.findall(rb"(?m)^List-[^\r]*\r\n(?: [^\r]*\r\n)*", raw)
    assert len(lines) == 3
    assert not any(b"=?" in line for line in lines)
    assert re.search(rb"\r\n <https://[!-~]+>\r\n", raw)
    assert parsed(raw)["List-Id"] == "<morning.gazette.example>"


def test_plain_comes_first_and_each_part_has_the_encoding_that_suits_it() -> None:
    raw = a_letter(text=ENGLISH * 9, html=KOREAN * 9).splice(reader_values())

    kinds = [(each.get_content_type(), each["Content-Transfer-Encoding"]) for each in parsed(raw).iter_parts()]
    assert kinds == [("text/plain", "quoted-printable"), ("text/html", "base64")]
    assert parsed(raw).get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("sentence", [ENGLISH, KOREAN])
def test_a_stored_letter_gives_the_same_bytes(sentence: str) -> None:
    """A retry tomorrow is the same mail."""
    letter = a_letter(subject=f"{NAME}, hello", text=f"{NAME} {sentence * 9}", html=f"{NAME}{sentence * 99}{ADDRESS}")

    again = CompiledMessage.from_bytes(letter.to_bytes())

    assert again == letter
    assert again.splice(reader_values()) == letter.splice(reader_values())


def test_the_same_letter_is_always_the_same_bytes() -> None:
    assert a_letter().to_bytes() == a_letter().to_bytes()
    assert a_letter(text="another").to_bytes() != a_letter().to_bytes()


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-1], lambda raw: raw + b"x", lambda raw: b"PCM9" + raw[4:], lambda _: b""]
)
def test_a_damaged_letter_is_never_sent(damage: "type[bytes]") -> None:
    with pytest.raises(InputError):
        CompiledMessage.from_bytes(damage(a_letter().to_bytes()))


@given(at=st.integers(min_value=0, max_value=200), byte=st.integers(min_value=0, max_value=255))
def test_a_damaged_table_of_contents_is_noticed_or_harmless(at: int, byte: int) -> None:
    stored = bytearray(a_letter().to_bytes())
    stored[at] = byte
    try:
        CompiledMessage.from_bytes(bytes(stored))
    except InputError:
        return


def test_a_missing_value_is_known_before_anything_is_sent() -> None:
    values = reader_values()
    del values[Slot.ONE_CLICK_URL], values[Slot.NAME]

    assert a_letter(fallbacks={}).missing(values) == {Slot.ONE_CLICK_URL}
    with pytest.raises(KeyError):
        a_letter().splice(values)


def test_a_value_is_escaped_for_where_it_stands() -> None:
    markup = (
        f'<p title="{NAME}">{NAME}</p><a href="{READ}">{READ}</a>'
        f'<a href="https://gazette.example/?who={ADDRESS}&amp;back={READ}">x</a>'
        f'<a href="mailto:{ADDRESS}">{ADDRESS}</a>'
    )
    values = reader_values(
        values={
            Slot.NAME: '<b>"K"\'&',
            Slot.ADDRESS: "o'k+a&b@mail.example",
            Slot.READ_URL: 'https://gazette.example/r?a=1&b="<>',
        }
    )

    shown = part(a_letter(html=markup).splice(values), "html")

    assert shown == (
        '<p title="&lt;b&gt;&quot;K&quot;&#x27;&amp;">&lt;b&gt;&quot;K&quot;&#x27;&amp;</p>'
        '<a href="https://gazette.example/r?a=1&amp;b=%22%3C%3E">https://gazette.example/r?a=1&amp;b=%22%3C%3E</a>'
        '<a href="https://gazette.example/?who=o%27k%2Ba%26b%40mail.example'
        '&amp;back=https%3A%2F%2Fgazette.example%2Fr%3Fa%3D1%26b%3D%22%3C%3E">x</a>'
        '<a href="mailto:o%27k%2Ba%26b%40mail.example">o&#x27;k+a&amp;b@mail.example</a>\r\n'
    )


def test_a_link_inside_a_conditional_comment_is_a_link_too() -> None:
    """Outlook reads those."""
    raw = a_letter(html=f'<!--[if mso]><a href="{READ}"><![endif]-->').splice(
        reader_values(values={Slot.READ_URL: "https://gazette.example/?a=1&b=2"})
    )

    assert 'href="https://gazette.example/?a=1&amp;b=2"' in part(raw, "html")


@pytest.mark.parametrize(
    "markup",
    [
        f"<style>p {{ color: {NAME} }}</style>",
        f"<script>{NAME}</script>",
        f"<a href={READ}>x</a>",
        f"<a {NAME}>x</a>",
        f"<p>{marker(Slot.MESSAGE_ID)}</p>",
        f"<p>{marker(Slot.ONE_CLICK_URL)}</p>",
    ],
)
def test_a_slot_where_no_escaping_helps_is_refused_at_once(markup: str) -> None:
    with pytest.raises(TemplateTextError):
        a_letter(html=markup)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "no address"},
        {"sender": "News <news@gazette.example>\r\nBcc: x@y.example"},
        {"sender": '"News\r\nBcc: x@y.example" <news@gazette.example>'},
        {"list_id": "morning"},
        {"list_id": "morning.gazette.example>\r\nBcc: x@y.example"},
        {"feedback_id": "two words"},
        {"feedback_id": "x\r\ny"},
        {"unsubscribe_mailto": "leave@gazette.example>\r\nX: y"},
        {"reply_to": "nobody"},
    ],
)
def test_a_letterhead_that_cannot_be_a_header_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InputError):
        a_letter(letterhead=a_letterhead(**wrong))


def test_markers_come_through_every_tool_unharmed() -> None:
    template = jinja2.Environment(autoescape=True).from_string(
        "<mjml><mj-body><mj-section><mj-column><mj-text>Hi {{ a }} <a href='{{ b }}'>x</a></mj-text>"
        "<mj-button href='{{ b }}'>{{ a }}</mj-button><mj-image src='{{ b }}' alt='{{ a }}' /></mj-column>"
        "</mj-section></mj-body></mjml>"
    )

    for slot in Slot:
        word = marker(slot)
        markup = css_inline.CSSInliner(load_remote_stylesheets=False).inline(
            str(mjml2html(template.render(a=word, b=word)))
        )
        assert markup.count(word) == 6


def test_slots_may_touch_one_another() -> None:
    values = reader_values(values={Slot.NAME: "K", Slot.ADDRESS: "k@mail.example"})

    for around in (ENGLISH, KOREAN):
        raw = a_letter(text=f"{around}{NAME}{ADDRESS}{NAME}{PREFERENCES}").splice(values)
        assert part(raw, "plain") == f"{around}Kk@mail.exampleK{values[Slot.PREFERENCES_URL]}\r\n"


def test_an_address_beyond_ascii_stays_as_it_is() -> None:
    """RFC 6532; the transport sees to it that the server can take it."""
    raw = a_letter().splice(reader_values(values={Slot.ADDRESS: "민지@우편.example", Slot.NAME: ""}))

    assert "To: 민지@우편.example\r\n".encode() in raw


def test_the_size_of_a_letter_is_known() -> None:
    letter = a_letter(html=f"<p>{ENGLISH * 400}</p>{NAME}")

    size = len(letter.splice(reader_values()))

    assert 0 < size - letter.empty_size_bytes < 400
