from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from publisher.archive import flow as archive
from publisher.archive.model import ArticleId
from publisher.audience import flow as audience
from publisher.audience.model import SuppressionReason
from publisher.audience.tables import subscriber
from publisher.compose import flow as compose
from publisher.compose import store
from publisher.compose.model import Edition, Issue, IssueId, IssueState
from publisher.compose.tables import edition, issue
from publisher.dispatch import flow as dispatch
from publisher.dispatch.sending import send_due
from publisher.dispatch.transports.choose import outbox_in
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.desk.visits import ANNA, HOSTILE, Visit, form_values, must_be_harmless, notes, state_of
from tests.web.pages import XHTML, elements, parsed, words


def the_issue(room: Newsroom, number: int) -> Issue:
    with room.database.reading() as connection:
        return store.issue_of(connection, IssueId(number))


def send_everything(room: Newsroom) -> None:
    """Do what the workers do after an approval."""
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    send_due(room.dispatcher)


def counts(html: str) -> dict[str, int]:
    (shown,) = elements(html, "dl", class_="counts")
    rows = shown.iter(f"{XHTML}div")
    return {each.get("class", ""): int(words(next(each.iter(f"{XHTML}dd"))).replace(",", "")) for each in rows}


def actions(html: str) -> set[str]:
    """The last words of the addresses of the forms on a page."""
    return {each.get("action", "").rpartition("/")[2] for each in elements(html, "form", method="post")} - {"sign-out"}


# --- drafting


def test_a_draft_waits_for_its_editor(visit: Visit, draft: int) -> None:
    html = visit.get(f"/desk/issues/{draft}").text

    assert state_of(html) == "draft"
    assert len([each for each in elements(html, "input", name="article") if "checked" in each.attrib]) == 4
    assert actions(html) == {str(draft), "test", "approve", "cancel"}
    assert not outbox_in(visit.room.settings.data_dir).list_newest(1)


@pytest.mark.parametrize("edition", ["weekly", "nothing", ""])
def test_a_draft_that_cannot_be_is_refused_in_a_sentence(visit: Visit, weekly: Edition, edition: str) -> None:
    """An empty archive, or a slug that is none."""
    answer = visit.post("/desk/issues", edition=edition)

    assert answer.status_code == 409
    assert len(notes(answer.text)) == 1
    assert weekly


def test_an_editors_words_are_in_the_mail(visit: Visit, draft: int) -> None:
    saved = visit.save(
        draft, subject="Hello {{ name }}: {{ edition_name }}", preheader="In\tshort", introduction="*Good* morning."
    )

    html = visit.after(saved)
    assert notes(html)[0].startswith("Saved.")
    assert words(elements(html, "dl", class_="about inbox")[0]).startswith(
        "SubjectHello reader: The Weekly PreheaderIn short Size"
    )
    assert "<em>Good</em> morning." in visit.get(f"/desk/issues/{draft}/mail").text
    assert "Good morning." in words(elements(html, "pre")[0])


def test_what_is_saved_is_what_the_form_shows(visit: Visit, draft: int) -> None:
    visit.save(draft, subject="Autumn", introduction="One.\r\n\r\nTwo.")

    again = form_values(visit.get(f"/desk/issues/{draft}").text, f"/desk/issues/{draft}")

    assert (again["subject"], again["introduction"]) == ("Autumn", "One.\n\nTwo.")
    assert the_issue(visit.room, draft).introduction == "One.\n\nTwo."


@pytest.mark.parametrize("where", ["subject", "introduction"])
def test_an_unknown_slot_is_a_sentence_on_the_page(visit: Visit, draft: int, where: str) -> None:
    answer = visit.save(draft, **{where: "Hello {{ nam }}"})

    assert answer.status_code == 422
    told = notes(answer.text)
    assert told[0].startswith(f"{where.capitalize()}: there is no slot 'nam'")
    assert [each.get("name") for each in parsed(answer.text).iter() if each.get("aria-invalid")] == [where]
    assert form_values(answer.text, f"/desk/issues/{draft}")[where] == "Hello {{ nam }}", "what was typed stays"
    assert getattr(the_issue(visit.room, draft), where) == ""


@pytest.mark.parametrize("text", ["{{ 7 * 7 }}", "{{ name.__class__ }}", "{% for x in y %}{% endfor %}", "{{", "{% if"])
def test_an_editors_text_is_no_program(visit: Visit, draft: int, text: str) -> None:
    answer = visit.save(draft, subject=text)

    assert answer.status_code == 422
    assert len(notes(answer.text)[0]) < 300


def test_control_characters_never_reach_a_mail(visit: Visit, draft: int) -> None:
    answer = visit.save(
        draft, subject="A\x00B\x1bC", introduction="One\x00.\x0bTwo", preheader="a\r\nBcc: b@example.org"
    )

    assert answer.status_code == 303
    found = the_issue(visit.room, draft)
    assert (found.subject, found.introduction, found.preheader) == ("A B C", "One . Two", "a Bcc: b@example.org")


def test_a_family_emoji_survives(visit: Visit, draft: int) -> None:
    visit.save(draft, subject="👨‍👩‍👧 뉴스")

    assert the_issue(visit.room, draft).subject == "👨‍👩‍👧 뉴스"


def test_articles_are_unticked_put_in_order_and_put_in(visit: Visit, draft: int, ids: list[ArticleId]) -> None:
    form = form_values(visit.get(f"/desk/issues/{draft}").text, f"/desk/issues/{draft}")
    assert set(map(int, form["article"])) == set(ids)

    visit.save(
        draft,
        article=[ids[0], ids[2], ids[3]],
        **{f"place-{ids[0]}": "2", f"place-{ids[2]}": "", f"place-{ids[3]}": "1"},
    )
    fewer = visit.get(f"/desk/issues/{draft}").text
    visit.save(draft, article=[ids[1], ids[3]], **{f"place-{ids[1]}": "9", f"place-{ids[3]}": "10"})

    offered = [each for each in elements(fewer, "input", name="article") if "checked" not in each.attrib]
    assert [int(each.get("value", "")) for each in offered] == [ids[1]]
    assert the_issue(visit.room, draft).article_ids == (ids[1], ids[3])


def test_the_order_is_that_of_the_numbers(visit: Visit, draft: int, ids: list[ArticleId]) -> None:
    places = {f"place-{each}": str(9 - number) for number, each in enumerate(ids)}

    visit.save(draft, article=ids, **places)

    assert the_issue(visit.room, draft).article_ids == tuple(reversed(ids))


@pytest.mark.parametrize("number", ["999", "0", "-1", "one", "٣", "9" * 30, "1.5", ""])
def test_articles_that_are_none_are_left_out(visit: Visit, draft: int, ids: list[ArticleId], number: str) -> None:
    answer = visit.save(draft, article=[ids[0], number], **{f"place-{ids[0]}": number})

    assert answer.status_code == 303
    assert the_issue(visit.room, draft).article_ids == (ids[0],)


def test_an_article_that_is_not_out_cannot_be_put_in(visit: Visit, draft: int, ids: list[ArticleId]) -> None:
    early = a_draft(title="Early", external_id="early", publish_at=visit.room.now() + timedelta(hours=1))
    (taken,) = handed_in(visit.room.database, [early], clock=visit.room.now)

    visit.save(draft, article=[ids[0], taken.article_id])

    assert the_issue(visit.room, draft).article_ids == (ids[0],)


def test_an_issue_without_an_article_is_refused(visit: Visit, draft: int, ids: list[ArticleId]) -> None:
    answer = visit.save(draft, article=[])

    assert answer.status_code == 409
    assert "no published article" in notes(answer.text)[0]
    assert set(the_issue(visit.room, draft).article_ids) == set(ids)


def test_of_two_editors_at_one_draft_the_second_is_told(visit: Visit, draft: int) -> None:
    """Lost update: without this the first one's work would be gone without a word."""
    path = f"/desk/issues/{draft}"
    hers = form_values(visit.get(path).text, path)
    visit.save(draft, subject="From Anna")

    late = visit.web.post(path, data=hers | {"subject": "From Bert"})
    again = visit.web.post(path, data=form_values(late.text, path))

    assert late.status_code == 409
    assert "changed after you opened it" in notes(late.text)[0]
    assert form_values(late.text, path)["subject"] == "From Bert"
    assert elements(late.text, "form", data_unsaved_already="")
    assert again.status_code == 303, "having been told, he may"
    assert the_issue(visit.room, draft).subject == "From Bert"


def test_what_a_reader_would_stumble_over_is_remarked(visit: Visit, draft: int, ids: list[ArticleId]) -> None:
    visit.save(draft, article=[ids[0], ids[1]])
    archive.withdraw(visit.room.database, ids[1], clock=visit.room.now)

    html = visit.get(f"/desk/issues/{draft}").text

    (remarks,) = elements(html, "ul", class_="remarks")
    assert [words(each) for each in remarks] == [
        "1 article in the mail; the edition asks for at least 2.",
        "“All About Kimchi Refrigerators 1” is withdrawn, so the mail leaves it out.",
    ]


def test_a_draft_whose_articles_are_all_gone_can_only_be_mended_or_cancelled(
    visit: Visit, draft: int, ids: list[ArticleId]
) -> None:
    for each in ids:
        archive.withdraw(visit.room.database, each, clock=visit.room.now)

    html = visit.get(f"/desk/issues/{draft}").text

    assert any("no published article" in note for note in notes(html))
    assert "approve" not in actions(html)
    assert not elements(html, "iframe")
    assert visit.get(f"/desk/issues/{draft}/mail").status_code == 409
    assert visit.after(visit.post(f"/desk/issues/{draft}/cancel"))


def test_no_text_of_an_issue_becomes_a_part_of_the_page(visit: Visit, draft: int) -> None:
    hostile = HOSTILE.replace("{{ 7 * 7 }}", "")
    html = visit.after(visit.save(draft, subject=hostile, preheader=hostile, introduction=hostile))

    must_be_harmless(html)
    assert words(elements(html, "h1")[0]) == " ".join(hostile.split())
    must_be_harmless(visit.get("/desk").text)
    must_be_harmless(visit.get("/desk/issues").text)
    mail = visit.get(f"/desk/issues/{draft}/mail")
    assert "<script" not in mail.text
    assert "onerror" not in mail.text.replace("onerror=alert(1)&gt;", "")


# --- the mail in its frame


def test_a_mail_in_a_frame_can_do_nothing(visit: Visit, draft: int) -> None:
    mail = visit.get(f"/desk/issues/{draft}/mail")

    policy = dict(part.strip().partition(" ")[::2] for part in mail.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert policy["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["form-action"] == "'none'"
    assert "x-slot" not in mail.text
    assert '<base target="_blank">' in mail.text
    for frame in elements(visit.get(f"/desk/issues/{draft}").text, "iframe"):
        assert frame.get("sandbox") == policy["sandbox"]
        assert str(frame.get("src")).partition("?")[0] == f"/desk/issues/{draft}/mail"


def test_both_widths_dark_colours_and_the_text_are_shown(visit: Visit, draft: int) -> None:
    html = visit.get(f"/desk/issues/{draft}").text

    assert [each.get("width") for each in elements(html, "iframe")] == ["600", "375", "375"]
    assert "prefers-color-scheme" in visit.get(f"/desk/issues/{draft}/mail").text
    assert "prefers-color-scheme" not in visit.get(f"/desk/issues/{draft}/mail?dark=yes").text
    assert "All About Jeonse Deposits 0" in words(elements(html, "pre")[0])


def test_a_draft_can_be_looked_at_with_the_furniture_in_every_language(visit: Visit, draft: int) -> None:
    html = visit.get(f"/desk/issues/{draft}?language=ko").text

    mail = f"/desk/issues/{draft}/mail?language=ko"
    assert {frame.get("src") for frame in elements(html, "iframe")} == {mail, f"{mail}&dark=yes"}
    assert "구독" in words(elements(html, "pre")[0])
    assert 'lang="ko"' in visit.get(f"/desk/issues/{draft}/mail?language=ko").text
    assert 'lang="ko"' not in visit.get(f"/desk/issues/{draft}/mail?language=tlh").text


def test_a_mail_can_be_looked_at_as_a_reader_sees_it(visit: Visit, draft: int, readers: list[str]) -> None:
    visit.save(draft, subject="Hello {{ name }}")
    with visit.room.database.transaction() as connection:
        named = sa.update(subscriber).where(subscriber.c.email == readers[0])
        connection.execute(named.values(name="Jo <b>Ann</b> & Co"))

    page = visit.get(f"/desk/issues/{draft}?reader={readers[0].upper()}").text
    frame = elements(page, "iframe")[0].get("src") or ""

    assert "Hello Jo <b>Ann</b> & Co" in words(elements(page, "dl", class_="about inbox")[0])
    assert frame.endswith(f"reader={readers[0].replace('@', '%40')}")
    mail = visit.get(frame).text
    assert "Jo <b>Ann" not in mail
    assert readers[0] in mail
    for nobody in ("stranger@x.example", "no address", "a\x00@x.example"):
        stranger = visit.web.get(f"/desk/issues/{draft}", params={"reader": nobody})
        assert "No reader has this address." in stranger.text


# --- approving


def test_an_approved_issue_goes_to_every_reader(visit: Visit, draft: int, readers: list[str]) -> None:
    visit.save(draft, subject="Hello {{ name }}")
    page = visit.get(f"/desk/issues/{draft}").text

    begun = visit.after(visit.approve(draft))
    send_everything(visit.room)
    ended = visit.get(f"/desk/issues/{draft}").text

    assert words(elements(page, "details", class_="approve")[0]).count("Send it to 3 readers")
    assert (state_of(begun), state_of(ended)) == ("approved", "sent")
    assert counts(ended) == {"sent": 3}
    (progress,) = elements(ended, "progress")
    assert (progress.get("value"), progress.get("max")) == ("3", "3")
    assert actions(ended) == set()
    assert {each.address.partition("<")[2].rstrip(">") or each.address for each in _mails(visit.room)} == set(readers)
    assert words(elements(ended, "h1")[0]) == "Hello reader"
    assert visit.get("/issues/weekly/1").status_code == 200


def _mails(room: Newsroom) -> list[Any]:
    return list(outbox_in(room.settings.data_dir).list_newest(10))


@pytest.mark.usefixtures("readers")
def test_subjects_are_tried_and_one_is_chosen(visit: Visit, draft: int) -> None:
    """What the form asks for is what the issue does, and what a chief chooses is what the rest gets."""
    trial = {"subject": "First", "other_subject": ["Second", ""], "share_percent": "2", "hours": "4"}
    saved = visit.after(visit.save(draft, **trial))
    assert form_values(saved, f"/desk/issues/{draft}")["share_percent"] == "2"
    assert "cannot be told from chance" in words(elements(saved, "form", id="edit")[0])
    visit.approve(draft)
    send_everything(visit.room)

    on_trial = visit.get(f"/desk/issues/{draft}").text
    (panel,) = elements(on_trial, "section", aria_labelledby="subjects")
    assert "The difference is noise so far" in words(panel)
    (send,) = elements(on_trial, "section", aria_labelledby="standing")
    assert "for their time to come, the first for about" in words(send)
    assert "a second" not in words(send), "who waits for the end of the test is no work that goes on"
    assert [words(each) for each in elements(on_trial, "th", scope="row", dir="auto")][:2] == ["First", "Second"]
    for typed in ("", "-1", "3", "first"):
        assert visit.post(f"/desk/issues/{draft}/subject", number=typed).status_code == 404, "no subject of this number"
    chosen = visit.after(visit.post(f"/desk/issues/{draft}/subject", number="1"))
    send_everything(visit.room)

    assert "chosen" in words(elements(chosen, "section", aria_labelledby="subjects")[0])
    assert counts(visit.get(f"/desk/issues/{draft}").text) == {"sent": 3}
    assert visit.post(f"/desk/issues/{draft}/subject", number="0").status_code == 409


@pytest.mark.parametrize(
    ("trial", "problem"),
    [
        ({"other_subject": "Second"}, "first subject"),
        ({"subject": "First", "other_subject": "First"}, "different"),
        ({"subject": "First", "other_subject": "Second", "share_percent": "99"}, "percent"),
        ({"subject": "First", "other_subject": "Second", "hours": "no"}, "hours"),
    ],
)
def test_a_trial_that_cannot_be_is_a_sentence_on_the_page(
    visit: Visit, draft: int, trial: dict[str, str], problem: str
) -> None:
    answer = visit.save(draft, **trial)

    assert answer.status_code == 422
    assert any(problem in each for each in notes(answer.text))


def test_the_page_looks_again_while_mails_leave(visit: Visit, draft: int, readers: list[str]) -> None:
    assert readers
    begun = visit.after(visit.approve(draft))
    send_everything(visit.room)
    ended = visit.get(f"/desk/issues/{draft}").text

    assert [each.get("data-again") for each in _live(begun)] == ["2"]
    assert "http-equiv" in begun, "a browser without scripts looks again as well"
    assert [each.get("data-again") for each in _live(ended)] == [None]
    assert "http-equiv" not in ended


def _live(html: str) -> list[Any]:
    return [each for each in parsed(html).iter() if "data-live" in each.attrib]


def test_a_paused_reader_and_a_suppressed_one_are_not_counted(visit: Visit, draft: int, readers: list[str]) -> None:
    audience.suppress(visit.room.database, readers[0], reason=SuppressionReason.MANUAL, clock=visit.room.now)

    html = visit.get(f"/desk/issues/{draft}").text

    assert words(elements(html, "details", class_="approve")[0]).count("Send it to 2 readers")


def test_only_what_the_editor_has_seen_is_approved(visit: Visit, draft: int) -> None:
    path = f"/desk/issues/{draft}/approve"
    seen = form_values(visit.get(f"/desk/issues/{draft}").text, path)
    visit.save(draft, subject="Something else")

    answer = visit.web.post(path, data=seen)
    without = visit.post(path)

    assert (answer.status_code, without.status_code) == (409, 409)
    assert "was not approved" in notes(answer.text)[0]
    assert the_issue(visit.room, draft).state is IssueState.DRAFT


def test_pressing_the_button_twice_approves_once(visit: Visit, draft: int) -> None:
    path = f"/desk/issues/{draft}/approve"
    seen = form_values(visit.get(f"/desk/issues/{draft}").text, path)

    first, second = visit.web.post(path, data=seen), visit.web.post(path, data=seen)

    assert (first.status_code, second.status_code) == (303, 303)


def test_what_was_approved_is_frozen(visit: Visit, draft: int) -> None:
    path = f"/desk/issues/{draft}"
    form = form_values(visit.get(path).text, path)
    visit.approve(draft)

    late = visit.web.post(path, data=form | {"subject": "Too late"})

    assert late.status_code == 409
    assert the_issue(visit.room, draft).subject != "Too late"


@pytest.mark.parametrize("move", ["approve", "cancel", "pause", "resume"])
def test_what_takes_a_chief_an_editor_may_not(
    visit: Visit, visit_as: Callable[[Role], Visit], draft: int, move: str
) -> None:
    editor = visit_as(Role.EDITOR)
    form = form_values(visit.get(f"/desk/issues/{draft}").text, f"/desk/issues/{draft}/approve")

    answer = editor.post(f"/desk/issues/{draft}/{move}", version=form["version"])

    assert answer.status_code == 403
    assert "takes the role of chief" in answer.text
    assert the_issue(visit.room, draft).state is IssueState.DRAFT
    assert actions(editor.get(f"/desk/issues/{draft}").text) == {str(draft), "test"}


def test_a_chief_approves(visit_as: Callable[[Role], Visit], draft: int) -> None:
    assert state_of((chief := visit_as(Role.CHIEF)).after(chief.approve(draft))) == "approved"


# --- approving for later, and undoing


def test_an_approval_waits_and_can_be_undone(visit: Visit, draft: int, readers: list[str]) -> None:
    visit.save(draft, subject="Hello {{ name }}")

    waiting = visit.after(visit.approve(draft, goes_at=""))

    assert state_of(waiting) == "scheduled"
    assert "in 60 seconds to 3 readers" in words(elements(waiting, "section", class_="panel standing")[0])
    assert actions(waiting) == {"undo", "approve", "cancel"}
    compose.compose_due(visit.room.database, visit.room.settings, clock=visit.room.now)
    send_everything(visit.room)
    assert _mails(visit.room) == []
    assert visit.get("/issues/weekly/1").status_code == 404
    assert "No. 1" in visit.get("/desk").text

    undone = visit.after(visit.post(f"/desk/issues/{draft}/undo"))

    assert state_of(undone) == "draft"
    assert the_issue(visit.room, draft).subject == "Hello {{ name }}"
    assert readers


def test_an_issue_goes_out_when_its_time_has_come(visit: Visit, draft: int, readers: list[str]) -> None:
    visit.save(draft, subject="Hello {{ name }}")
    later = visit.room.now().astimezone(ZoneInfo("Asia/Seoul")) + timedelta(days=2)
    visit.approve(draft, goes_at=f"{later:%Y-%m-%dT07:30}")
    goes_at = the_issue(visit.room, draft).goes_at
    assert goes_at is not None
    assert f"{goes_at.astimezone(ZoneInfo('Asia/Seoul')):%Y-%m-%d %H:%M}" == f"{later:%Y-%m-%d} 07:30"

    too_early = compose.is_any_due(visit.room.database, clock=lambda: goes_at - timedelta(seconds=1))
    compose.compose_due(visit.room.database, visit.room.settings, clock=lambda: goes_at)
    send_everything(visit.room)

    assert not too_early
    assert len(_mails(visit.room)) == len(readers)
    assert the_issue(visit.room, draft).subject == "Hello reader"
    assert visit.post(f"/desk/issues/{draft}/undo").status_code == 409


@pytest.mark.parametrize("typed", ["soon", "2020-01-01T08:00", "2999-01-01T08:00"])
def test_a_time_that_cannot_be_is_told_so(visit: Visit, draft: int, typed: str) -> None:
    answer = visit.approve(draft, goes_at=typed)

    assert answer.status_code == 422
    assert notes(answer.text)
    assert the_issue(visit.room, draft).state is IssueState.DRAFT


def test_an_issue_that_lost_an_article_while_it_waited_is_held(visit: Visit, draft: int) -> None:
    visit.approve(draft, goes_at="")
    found = the_issue(visit.room, draft)
    archive.withdraw(visit.room.database, found.article_ids[0], clock=visit.room.now)

    later = visit.room.now() + timedelta(minutes=2)
    compose.compose_due(visit.room.database, visit.room.settings, clock=lambda: later)

    held = the_issue(visit.room, draft)
    assert (held.state, held.goes_at) == (IssueState.DRAFT, None)
    assert "withdrawn" in visit.get(f"/desk/issues/{draft}").text


def test_an_issue_that_lost_an_article_is_not_sent_now_either(visit: Visit, draft: int) -> None:
    visit.approve(draft, goes_at="")
    archive.withdraw(visit.room.database, the_issue(visit.room, draft).article_ids[0], clock=visit.room.now)

    answer = visit.post(f"/desk/issues/{draft}/approve", now="yes")

    assert answer.status_code == 409
    assert "withdrawn" in notes(answer.text)[0]
    assert the_issue(visit.room, draft).state is IssueState.DRAFT


def test_a_held_draft_that_is_undone_is_held_again_and_does_not_go_out_by_itself(visit: Visit, draft: int) -> None:
    """Of an edition with automatic approval, every draft without a reason goes out at the next tick."""
    with visit.room.database.transaction() as connection:
        connection.execute(sa.update(edition).values(approval="automatic"))
        connection.execute(sa.update(issue).values(slot_at=visit.room.now()))
        store.hold_draft(connection, IssueId(draft), "Look at this.")
    visit.approve(draft, goes_at="")

    visit.post(f"/desk/issues/{draft}/undo")
    compose.compose_due(visit.room.database, visit.room.settings, clock=visit.room.now)

    found = the_issue(visit.room, draft)
    assert (found.state, found.reason) == (IssueState.DRAFT, "Look at this.")


def test_a_scheduled_issue_can_be_cancelled(visit: Visit, draft: int) -> None:
    visit.approve(draft, goes_at="")

    visit.post(f"/desk/issues/{draft}/cancel")

    assert the_issue(visit.room, draft).state is IssueState.CANCELLED


def test_an_editor_lays_out(visit_as: Callable[[Role], Visit], draft: int) -> None:
    assert visit_as(Role.EDITOR).save(draft, subject="Laid out").status_code == 303


# --- a test mail


def test_a_test_goes_to_the_editor_alone(visit: Visit, draft: int, readers: list[str]) -> None:
    visit.save(draft, subject="Hello {{ name }}")

    html = visit.after(visit.post(f"/desk/issues/{draft}/test"))

    assert notes(html)[0] == "A test is on its way to your own address."
    (mail,) = _mails(visit.room)
    assert ANNA in mail.address
    assert mail.subject == "Hello Anna Weber"
    assert state_of(html) == "draft"
    assert readers


def test_a_test_that_cannot_be_sent_says_so(visit: Visit, draft: int) -> None:
    (visit.room.settings.data_dir / "outbox").write_text("in the way", encoding="utf-8")

    answer = visit.post(f"/desk/issues/{draft}/test")

    assert answer.status_code == 502
    assert notes(answer.text)[0].startswith("The test was not sent:")


def test_a_test_of_a_mail_that_does_not_render_says_so(visit: Visit, draft: int, ids: list[ArticleId]) -> None:
    for each in ids:
        archive.withdraw(visit.room.database, each, clock=visit.room.now)

    assert visit.post(f"/desk/issues/{draft}/test").status_code == 409


# --- stopping


def test_pausing_resuming_and_cancelling_a_send(visit: Visit, draft: int, readers: list[str]) -> None:
    path = f"/desk/issues/{draft}"
    visit.approve(draft)
    paused = visit.after(visit.post(f"{path}/pause"))
    send_everything(visit.room)
    still = visit.get(path).text
    resumed = visit.after(visit.post(f"{path}/resume"))
    visit.post(f"{path}/pause")
    cancelled = visit.after(visit.post(f"{path}/cancel"))
    send_everything(visit.room)

    assert (state_of(paused), actions(paused)) == ("paused", {"resume", "cancel"})
    assert "Paused by Anna Weber." in notes(paused)
    assert counts(still) == {"sent": 0, "planned": 3}
    assert (state_of(resumed), actions(resumed)) == ("sending", {"pause", "cancel"})
    assert (state_of(cancelled), actions(cancelled)) == ("cancelled", set())
    assert not _mails(visit.room)
    assert readers


def test_a_cancelled_draft_is_over(visit: Visit, draft: int) -> None:
    html = visit.after(visit.post(f"/desk/issues/{draft}/cancel"))

    assert state_of(html) == "cancelled"
    assert "Cancelled by Anna Weber." in notes(html)
    assert visit.post(f"/desk/issues/{draft}/approve").status_code == 409
    assert visit.post(f"/desk/issues/{draft}/resume").status_code == 409
    assert the_issue(visit.room, draft).state is IssueState.CANCELLED


def test_a_move_that_is_none_is_nothing(visit: Visit, draft: int) -> None:
    assert visit.post(f"/desk/issues/{draft}/explode").status_code == 404
    assert visit.post("/desk/issues/99/cancel").status_code == 404


def test_an_issue_that_is_held_says_why(visit: Visit, draft: int) -> None:
    with visit.room.database.transaction() as connection:
        store.hold_draft(connection, IssueId(draft), "The subject names a slot that there is not.")

    assert "Held for an editor: The subject names a slot that there is not." in notes(
        visit.get(f"/desk/issues/{draft}").text
    )


def test_an_editor_hears_that_no_worker_works(visit: Visit, draft: int, readers: list[str]) -> None:
    """A progress bar that stands still says nothing."""
    silent = visit.after(visit.approve(draft))
    visit.room.pulse.mark()
    alive = visit.get(f"/desk/issues/{draft}").text

    assert any("No worker" in note for note in notes(silent))
    assert not any("No worker" in note for note in notes(alive))
    assert readers


# --- the list


def test_issues_are_listed_newest_first_page_by_page(visit: Visit, weekly: Edition, ids: list[ArticleId]) -> None:
    for number in range(45):
        compose.draft_issue(
            visit.room.database,
            visit.room.settings,
            weekly.slug,
            article_ids=ids[:1],
            subject=f"Number {number}",
            clock=visit.room.now,
        )

    path, seen = "/desk/issues?edition=weekly", list[str]()
    while path:
        html = visit.get(path).text
        seen += [words(each) for each in elements(html, "th", scope="row")]
        onward = elements(html, "a", rel="next")
        path = onward[0].get("href", "") if onward else ""

    assert seen == [f"Number {number}" for number in reversed(range(45))]
