"""What was encoded for SMTP can be read back whole, for a transport that encodes by itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.compose.slots import Slot
from publisher.dispatch.message import CompiledMessage, Kind, Part
from publisher.dispatch.places import Insert, Place
from publisher.dispatch.unencoded import Spans, unencoded
from publisher.errors import InputError
from tests.dispatch.mail import NAME, UNSUBSCRIBE, a_letter, a_letterhead

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=400)


def said(spans: Spans) -> str:
    return "".join(span if isinstance(span, str) else f"[{span.slot}]" for span in spans)


@settings(max_examples=60, deadline=None)
@given(text=PRINTABLE, korean=st.booleans())
def test_both_forms_of_a_letter_are_what_was_written(text: str, *, korean: bool) -> None:
    """Quoted-printable and base64 are the way, not the letter."""
    body = f"{text}{NAME}{'원정 응원석은 불이 꺼질 때까지 노래했다. ' * 20 if korean else ''}{text}\nend"

    found = dict(unencoded(a_letter(text=body, html=f"<p>{NAME}</p>")).bodies)

    assert said(found["plain"]).replace("\r\n", "\n") == body.replace(NAME, "[name]") + "\n"
    assert said(found["html"]) == "<p>[name]</p>\r\n"


def test_a_slot_keeps_its_place_and_its_fallback() -> None:
    found = dict(unencoded(a_letter(html=f'<p>{NAME}</p><a href="{UNSUBSCRIBE}">x</a>')).bodies)["html"]

    inserts = [span for span in found if isinstance(span, Insert)]
    assert inserts == [
        Insert(slot=Slot.NAME, place=Place.HTML, fallback="reader"),
        Insert(slot=Slot.UNSUBSCRIBE_URL, place=Place.HTML_URL),
    ]


@pytest.mark.parametrize(
    "subject", ["Good morning", "좋은 아침입니다 " * 8, "A long one " * 12, f"{NAME}, good morning"]
)
def test_the_subject_is_read_out_of_its_encoded_words(subject: str) -> None:
    found = unencoded(a_letter(subject=subject))

    assert said(found.subject) == subject.replace(NAME, "[name]").strip()


def test_fields_are_unfolded_and_hold_their_slots() -> None:
    letter = a_letter(letterhead=a_letterhead(unsubscribe_mailto="leave@gazette.example"))

    fields = {name: said(spans) for name, spans in unencoded(letter).fields}

    assert fields["List-Unsubscribe"] == "<[one_click_url]>, <mailto:leave@gazette.example>"
    assert fields["Message-ID"] == "<[message_id]>"
    assert fields["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert fields["Feedback-ID"] == "17:morning:alert:gazette"


def test_the_sender_is_a_name_and_an_address() -> None:
    letter = a_letter(letterhead=a_letterhead(sender="신문 <news@gazette.example>", reply_to="desk@gazette.example"))

    found = unencoded(letter)

    assert found.sender == ("신문", "news@gazette.example")
    assert found.reply_to == "desk@gazette.example"


def test_a_message_of_another_make_is_refused() -> None:
    with pytest.raises(InputError, match="is not a letter that we compiled"):
        unencoded(CompiledMessage(parts=(Part(kind=Kind.VERBATIM, pieces=(b"Hello",)),)))
