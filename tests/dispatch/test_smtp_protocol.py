from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.dispatch.model import Deferred, Outcome, Refused, Sent, Uncertain, Untried
from publisher.dispatch.transports.smtp_protocol import Dialogue, Mail, Step
from publisher.dispatch.transports.smtp_replies import Abilities, ProtocolError, Reply, ReplyReader, abilities_of

PIPELINING = Abilities(pipelining=True, knows_size=True)
LETTER = b"Subject: x\r\n\r\nBody\r\n"
YES, GO_ON = Reply(250, "2.0.0 Ok"), Reply(354, "Go on")
UNKNOWN = Reply(550, "5.1.1 Unknown")


class Talk:
    """One dialogue, with what it wrote and what became of its messages."""

    def __init__(
        self, *addresses: str, abilities: Abilities = PIPELINING, body: bytes = LETTER, sender: str = "b@g.example"
    ) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.returned: list[str] = []
        self.end: list[str] = []
        self.waiting = deque(self._mail(address, body, sender) for address in addresses)
        self._written: list[bytes] = []
        self.dialogue = Dialogue(
            abilities,
            take=lambda: self.waiting.popleft() if self.waiting else None,
            write=lambda *pieces: self._written.extend(pieces),
            give_back=lambda mail, _: self.returned.append(mail.address),
            ended=self.end.append,
        )
        self.dialogue.begin()

    def _mail(self, address: str, body: bytes, sender: str) -> Mail:
        def settle(outcome: Outcome) -> None:
            assert address not in self.outcomes, "a message has one outcome"
            self.outcomes[address] = outcome

        return Mail(sender=sender, address=address, make=lambda: body, settle=settle, is_ascii=body.isascii())

    def says(self, *replies: Reply) -> str:
        """Let the server say this; return what we write to that."""
        self.dialogue.receive(replies)
        return self.written()

    def written(self) -> str:
        text = b"".join(self._written).decode()
        self._written.clear()
        return text


def test_a_transaction_is_opened_in_one_group() -> None:
    talk = Talk("a@x.example")

    assert talk.written() == "MAIL FROM:<b@g.example> SIZE=20\r\nRCPT TO:<a@x.example>\r\nDATA\r\n"


def test_the_next_transaction_travels_behind_the_message() -> None:
    """One round trip for each message, not four."""
    talk = Talk("a@x.example", "b@x.example")
    talk.written()

    text = talk.says(YES, YES, GO_ON)

    assert text == LETTER.decode() + ".\r\nMAIL FROM:<b@g.example> SIZE=20\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"
    assert not talk.outcomes


def test_each_reply_is_matched_to_what_it_answers() -> None:
    talk = Talk("a@x.example", "b@x.example", "c@x.example")

    talk.says(YES, YES, GO_ON)
    talk.says(Reply(250, "first"), YES, YES, GO_ON)
    talk.says(Reply(452, "4.2.2 second"), YES, YES, GO_ON)
    talk.says(Reply(250, "third"))

    assert talk.outcomes == {
        "a@x.example": Sent(reply="first"),
        "b@x.example": Deferred(code=452, reason="4.2.2 second", enhanced="4.2.2"),
        "c@x.example": Sent(reply="third"),
    }
    assert talk.dialogue.awaited is None
    assert talk.dialogue.answered == 3


def test_a_refused_recipient_is_reset_and_the_next_one_follows() -> None:
    talk = Talk("a@x.example", "b@x.example")
    talk.written()

    text = talk.says(YES, UNKNOWN, Reply(503, "5.5.1 No valid recipients"))

    assert text.startswith("RSET\r\nMAIL FROM:")
    assert talk.outcomes == {"a@x.example": Refused(code=550, reason="5.1.1 Unknown", enhanced="5.1.1")}
    talk.says(YES, YES, YES, GO_ON)
    talk.says(YES)
    assert talk.outcomes["b@x.example"] == Sent(reply="2.0.0 Ok")


def test_a_354_after_a_refused_recipient_is_answered_with_a_lone_dot() -> None:
    """RFC 2920, section 3.1."""
    talk = Talk("a@x.example", "b@x.example")
    talk.written()

    text = talk.says(YES, UNKNOWN, GO_ON)

    assert text.startswith(".\r\nRSET\r\nMAIL FROM:")
    talk.says(Reply(554, "5.5.1 No valid recipients"), YES, YES, YES, GO_ON)
    talk.says(YES)
    assert isinstance(talk.outcomes["a@x.example"], Refused)
    assert isinstance(talk.outcomes["b@x.example"], Sent)


def test_an_empty_message_is_never_delivered() -> None:
    """MAIL failed, RCPT was taken all the same, and 354 came: a lone dot would be a mail."""
    talk = Talk("a@x.example")
    talk.written()

    text = talk.says(Reply(451, "4.3.0 Later"), YES, GO_ON)

    assert text == ""
    assert talk.end
    assert talk.outcomes == {"a@x.example": Deferred(code=451, reason="4.3.0 Later", enhanced="4.3.0")}


def test_a_refused_data_is_the_messages_outcome() -> None:
    talk = Talk("a@x.example")

    talk.says(YES, YES, Reply(554, "5.7.1 Spam"))

    assert talk.outcomes == {"a@x.example": Refused(code=554, reason="5.7.1 Spam", enhanced="5.7.1")}


def test_a_yes_to_data_is_no_yes_to_the_message() -> None:
    talk = Talk("a@x.example")

    talk.says(YES, YES, YES)

    assert isinstance(talk.outcomes["a@x.example"], Deferred)


def test_without_pipelining_every_command_waits_for_its_answer() -> None:
    talk = Talk("a@x.example", "b@x.example", abilities=Abilities())

    assert talk.written() == "MAIL FROM:<b@g.example>\r\n"
    assert talk.says(YES) == "RCPT TO:<a@x.example>\r\n"
    assert talk.says(YES) == "DATA\r\n"
    assert talk.says(GO_ON) == LETTER.decode() + ".\r\n"
    assert talk.says(YES) == "MAIL FROM:<b@g.example>\r\n"
    assert talk.says(YES) == "RCPT TO:<b@x.example>\r\n"
    assert talk.says(UNKNOWN) == "RSET\r\n"
    assert talk.says(YES) == ""
    assert [type(outcome) for outcome in talk.outcomes.values()] == [Sent, Refused]


def test_without_pipelining_a_temporary_no_to_mail_is_that_messages_outcome() -> None:
    talk = Talk("a@x.example", "b@x.example", abilities=Abilities())
    talk.written()

    assert talk.says(Reply(452, "4.3.1 Full")) == "RSET\r\n"
    assert talk.says(YES).startswith("MAIL")
    assert isinstance(talk.outcomes["a@x.example"], Deferred)


def test_a_connection_lost_before_the_354_has_tried_nobody() -> None:
    talk = Talk("a@x.example")
    talk.says(YES, YES)

    talk.dialogue.lose("cut")

    assert talk.returned == ["a@x.example"]
    assert talk.outcomes == {}
    assert talk.end == ["cut"]


def test_a_connection_lost_after_the_dot_leaves_one_message_uncertain_and_one_untried() -> None:
    talk = Talk("a@x.example", "b@x.example")
    talk.says(YES, YES, GO_ON)

    talk.dialogue.lose("cut")
    talk.dialogue.lose("cut again")

    assert talk.outcomes == {"a@x.example": Uncertain(reason="cut")}
    assert talk.returned == ["b@x.example"]
    assert talk.end == ["cut"]


def test_a_421_to_the_message_is_a_temporary_failure_of_that_message_alone() -> None:
    talk = Talk("a@x.example", "b@x.example")
    talk.says(YES, YES, GO_ON)

    talk.says(Reply(421, "4.3.2 Shutting down"), YES, YES, GO_ON)

    assert talk.outcomes == {"a@x.example": Deferred(code=421, reason="4.3.2 Shutting down", enhanced="4.3.2")}
    assert talk.returned == ["b@x.example"]
    assert talk.end


@pytest.mark.parametrize("before", [(), (YES,), (YES, YES)])
def test_a_421_before_the_354_closes_and_sends_nothing_more(before: tuple[Reply, ...]) -> None:
    talk = Talk("a@x.example")
    talk.written()

    assert talk.says(*before, Reply(421, "4.7.0 Slow down"), YES) == ""

    assert talk.end
    if before:
        assert talk.outcomes == {"a@x.example": Deferred(code=421, reason="4.7.0 Slow down", enhanced="4.7.0")}
    else:
        assert talk.returned == ["a@x.example"], "to MAIL it is no answer to a message"


@pytest.mark.parametrize(
    "reply", [Reply(530, "5.7.0 Sign in"), Reply(550, "5.7.1 Sender blocked"), Reply(454, "4.7.0 No")]
)
def test_a_no_to_our_sender_is_held_against_no_reader(reply: Reply) -> None:
    """A wrong setting of ours must not fail a million readers."""
    talk = Talk("a@x.example")

    talk.says(reply, YES, YES)

    assert talk.returned == ["a@x.example"]
    assert talk.end


def test_a_server_that_wants_us_to_sign_in_at_rcpt_has_refused_nobody() -> None:
    talk = Talk("a@x.example")

    talk.says(YES, Reply(530, "5.7.0 Authentication required"))

    assert talk.returned == ["a@x.example"]


def test_a_message_too_big_for_the_server_is_refused() -> None:
    talk = Talk("a@x.example")

    talk.says(Reply(552, "5.3.4 Too big"), Reply(503, "No"), Reply(503, "No"))

    assert talk.outcomes == {"a@x.example": Refused(code=552, reason="5.3.4 Too big", enhanced="5.3.4")}


@pytest.mark.parametrize(
    "address",
    [
        "a@x.example>\r\nRCPT TO:<b@x.example",
        "a@x.example\nDATA",
        "a b@x.example",
        "<a@x.example",
        "nobody",
        "@",
        "a@",
        "",
    ],
)
def test_what_is_not_an_address_never_reaches_the_wire(address: str) -> None:
    talk = Talk(address)

    assert talk.written() == ""
    assert talk.outcomes == {address: Refused(code=553, reason="the address is not one", enhanced="5.1.3")}


def test_a_return_path_that_is_no_address_is_our_own_trouble() -> None:
    assert isinstance(Talk("a@x.example", sender="x\r\nDATA").outcomes["a@x.example"], Untried)


def test_bounces_of_a_mail_without_a_return_path_are_not_wanted() -> None:
    assert Talk("a@x.example", sender="").written().startswith("MAIL FROM:<> SIZE=20\r\n")


@pytest.mark.parametrize(
    ("abilities", "address", "body", "code"),
    [
        (PIPELINING, "민지@우편.example", LETTER, 553),
        (PIPELINING, "a@x.example", "é\r\n".encode(), 554),
        (Abilities(pipelining=True, knows_size=True, most_bytes=10), "a@x.example", LETTER, 552),
    ],
)
def test_what_the_server_says_it_cannot_take_is_not_tried(
    abilities: Abilities, address: str, body: bytes, code: int
) -> None:
    talk = Talk(address, abilities=abilities, body=body)

    outcome = talk.outcomes[address]
    assert talk.written() == ""
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_what_it_can_take_is_announced() -> None:
    talk = Talk(
        "민지@우편.example",
        abilities=Abilities(pipelining=True, utf8_addresses=True, eight_bit=True),
        body=b"\xc3\xa9\r\n",
    )

    assert talk.written().startswith("MAIL FROM:<b@g.example> BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<민지@우편.example>")


def test_a_server_that_speaks_out_of_turn_is_left() -> None:
    talk = Talk()

    talk.says(YES)

    assert talk.end == ["the server spoke out of turn"]


def test_an_error_of_ours_leaves_no_caller_waiting() -> None:
    talk = Talk()
    talk.waiting.append(Mail(sender="", address="a@x.example", make=lambda: b"%d" % "x", settle=lambda _: None))  # type: ignore[str-format]

    with pytest.raises(TypeError):
        talk.dialogue.begin()

    assert talk.returned == ["a@x.example"]
    assert talk.end


def test_the_next_answer_is_known_by_its_step() -> None:
    talk = Talk("a@x.example")

    steps = []
    for reply in (YES, YES, GO_ON, YES):
        steps.append(talk.dialogue.awaited)
        talk.says(reply)

    assert steps == [Step.MAIL, Step.RCPT, Step.DATA, Step.FINAL]


REPLIES = st.lists(
    st.builds(
        Reply,
        st.sampled_from([211, 220, 250, 251, 334, 354, 354, 421, 450, 451, 452, 454, 500, 530, 550, 552, 554]),
        st.sampled_from(["", "2.0.0 Ok", "4.7.1 Wait", "5.1.1 Unknown"]),
    ),
    max_size=40,
)


@given(replies=REPLIES, is_pipelined=st.booleans())
def test_whatever_a_server_says_every_message_has_one_outcome_or_comes_back(
    replies: list[Reply],
    is_pipelined: bool,  # noqa: FBT001 -- hypothesis gives it by name
) -> None:
    """No reader is lost in any order of answers, and none is told twice."""
    addresses = [f"{number}@x.example" for number in range(5)]
    talk = Talk(*addresses, abilities=Abilities(pipelining=is_pipelined))

    for reply in replies:
        talk.says(reply)
    talk.dialogue.lose("over")

    left = [mail.address for mail in talk.waiting]
    assert sorted([*talk.outcomes, *talk.returned, *left]) == addresses
    sent = sum(isinstance(outcome, Sent) for outcome in talk.outcomes.values())
    assert sent <= sum(reply.code == 354 for reply in replies)


def test_replies_are_read_however_they_are_cut() -> None:
    raw = b"220 hello\r\n250-mail.example\r\n250-SIZE 10\r\n250 PIPELINING\r\n354\r\n550 5.1.1 caf\xe9\n"
    expected = [
        Reply(220, "hello"),
        Reply(250, "mail.example\nSIZE 10\nPIPELINING"),
        Reply(354, ""),
        Reply(550, "5.1.1 caf\ufffd"),
    ]

    for size in (1, 2, 3, 7, len(raw)):
        reader = ReplyReader()
        found = [reply for at in range(0, len(raw), size) for reply in reader.feed(raw[at : at + size])]
        assert found == expected
        assert reader.is_empty


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.1 400 Bad Request\r\n", b"\r\n", b"25\r\n", b"2500 x\r\n", b"x" * 70_000, b"199 x\r\n"]
)
def test_what_is_not_smtp_is_noticed(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        ReplyReader().feed(raw)


def test_a_reply_that_never_ends_is_noticed() -> None:
    reader = ReplyReader()

    with pytest.raises(ProtocolError):
        all(reader.feed(b"250-more\r\n") == [] for _ in range(2_000))


def test_what_a_server_offers_is_read_in_any_spelling() -> None:
    reply = Reply(
        250,
        "mail.example at your service\nPipelining\nsize 35882577\n8BITMIME\n"
        "AUTH=PLAIN LOGIN\nAUTH XOAUTH2\nSTARTTLS\nSMTPUTF8",
    )

    assert abilities_of(reply) == Abilities(
        pipelining=True,
        starttls=True,
        eight_bit=True,
        utf8_addresses=True,
        knows_size=True,
        most_bytes=35882577,
        auth=frozenset({"PLAIN", "LOGIN", "XOAUTH2"}),
    )
    assert abilities_of(Reply(250, "mail.example")) == Abilities()
    assert abilities_of(Reply(250, "PIPELINING")) == Abilities(), "the first line is a name"
    assert abilities_of(Reply(250, "x\nSIZE\n")) == Abilities(knows_size=True)
