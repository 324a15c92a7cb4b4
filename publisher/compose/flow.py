from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.engine import Connection

from publisher import acts, turn
from publisher.archive import store as archive
from publisher.archive.model import ArticleId, Change, Lead
from publisher.audience import store as audience
from publisher.clock import Clock
from publisher.compose import due, render, rules, store, subjects, timetable
from publisher.compose.model import Edition, EditionKind, Frozen, Issue, IssueId, IssueState, Piece, Rendering, Window
from publisher.compose.pieces import furniture, pieces
from publisher.compose.timetable import Slot
from publisher.database import Database
from publisher.errors import ConflictError, InputError, PublisherError
from publisher.languages import closest
from publisher.rendering import furniture_language, languages
from publisher.settings import Settings
from publisher.turn import Turn

log = structlog.get_logger()

STAGE = "compose"
READ_AFTER = "relate"
"""The stage whose finished changes we read: an article goes out with its related links or not yet."""
AT_ONCE = 50
SCHEDULED_AT_MOST = timedelta(days=366)
WITHDRAWN_SINCE = "An article was withdrawn after this was approved. Look at it once more."
CANDIDATES_AT_MOST = 500


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """A draft to be stored, and what it answers to: a slot of its edition, or one article."""

    draft: Issue
    alert_of: ArticleId | None = None


def compose_due(database: Database, settings: Settings, *, clock: Clock) -> bool:
    """
    Make every issue that is due: alerts for new articles, and the issues of slots that have come.

    Returns whether anything was due.
    """
    with database.reading() as connection:
        waits = (
            _changes(connection)
            or _due_slots(connection, clock())
            or store.automatic_drafts(connection, at_most=1)
            or store.scheduled(connection, until=clock(), at_most=1)
        )
    if waits:
        turn.take_turns(database, STAGE, clock, lambda mine: _step(database, settings, mine, clock))
    return bool(waits)


def is_any_due(database: Database, *, clock: Clock) -> bool:
    """Tell whether the time of a scheduled issue has come; only reads."""
    with database.reading() as connection:
        return bool(store.scheduled(connection, until=clock(), at_most=1))


def _step(database: Database, settings: Settings, mine: Turn, clock: Clock) -> bool:
    drafted = _draft_due(database, mine, clock)
    approved = _approve_automatic(database, settings, mine, clock)
    released = _release_due(database, mine, clock)
    return AT_ONCE in {drafted, approved, released}


def _changes(connection: Connection) -> list[Change]:
    finished = turn.place(connection, READ_AFTER)
    return archive.changes(connection, after=turn.place(connection, STAGE), at_most=AT_ONCE, up_to=finished)


# --- what is due


def _draft_due(database: Database, mine: Turn, clock: Clock) -> int:
    """Store the drafts that articles and slots call for, and note both as answered, in one transaction."""
    now = clock()
    with database.reading() as connection:
        changes, slots = _changes(connection), _due_slots(connection, now)
        planned = [*_alerts(connection, changes, now)]
        for edition, slot in slots:
            planned += _slot_issue(connection, edition, slot, now)
    if not changes and not slots:
        return 0
    with database.transaction() as connection:
        for each in planned:
            store.add_issue(connection, each.draft, alert_article_id=each.alert_of)
        for edition, slot in slots:
            assert slot.at is not None
            store.slots_done(connection, edition.id, slot.at)
        mine.advance(connection, changes[-1].seq if changes else turn.place(connection, STAGE))
    return len(changes)


def _alerts(connection: Connection, changes: Sequence[Change], now: datetime) -> list[_Planned]:
    leads = archive.leads(connection, [each.article_id for each in changes])
    return [
        _Planned(draft=_draft(edition, (lead,), now=now), alert_of=lead.id)
        for edition in store.editions(connection, active_only=True)
        if edition.kind is EditionKind.ALERT
        for lead in leads.values()
        if rules.is_news(lead, edition, now=now)
    ]


def _due_slots(connection: Connection, now: datetime) -> list[tuple[Edition, Slot]]:
    """Return for each edition the newest slot that has come since the last one dealt with."""
    due = []
    for edition in store.editions(connection, active_only=True):
        if edition.cadence is not None and edition.kind is not EditionKind.ALERT:
            come = timetable.slots(connection, edition, store.slot_done_at(connection, edition.id), now)
            due += [(edition, come[-1])] if come else []
    return due


def _slot_issue(connection: Connection, edition: Edition, slot: Slot, now: datetime) -> list[_Planned]:
    """Return the issue of a slot, empty where the slot is so old that its issue would be stale."""
    assert slot.at is not None
    if slot.at < now - edition.stale_after:
        log.warning("slot_missed", edition=edition.slug, slot_at=slot.at.isoformat())
        return []
    window = Window(start=_window_start(connection, edition, slot), end=slot.at)
    leads = _candidates(connection, edition, window)
    draft = replace(_draft(edition, leads, now=now), window=window, slot_at=slot.at)
    if len(leads) < edition.at_least:
        found = f"{len(leads)} article{'' if len(leads) == 1 else 's'}"
        reason = f"{found} in the window; the edition asks for at least {edition.at_least}."
        draft = replace(draft, state=IssueState.SKIPPED, reason=reason)
    return [_Planned(draft=draft)]


def _window_start(connection: Connection, edition: Edition, slot: Slot) -> datetime:
    """Start where the last issue ended, so that what a skipped slot left over is in the next one."""
    return store.last_window_end(connection, edition.id) or timetable.window_start(connection, edition, slot)


def _candidates(connection: Connection, edition: Edition, window: Window) -> tuple[Lead, ...]:
    found = archive.listed(connection, at_most=CANDIDATES_AT_MOST, since=window.start, until=window.end)
    is_guide = edition.kind is EditionKind.GUIDE
    guided = archive.guided(connection, [lead.id for lead in found]) if is_guide else set()
    return rules.choose(
        found,
        window=window,
        at_most=edition.at_most,
        topics=edition.topics,
        languages=edition.languages,
        preferred=guided,
    )


def _draft(edition: Edition, leads: Sequence[Lead], *, now: datetime) -> Issue:
    return Issue(
        id=IssueId(0),
        edition_id=edition.id,
        number=0,
        state=IssueState.DRAFT,
        window=None,
        slot_at=None,
        subject="",
        preheader="",
        introduction="",
        article_ids=tuple(lead.id for lead in leads),
        created_at=now,
    )


# --- approval


def _release_due(database: Database, mine: Turn, clock: Clock) -> int:
    """Let scheduled issues go whose time has come; one that lost an article since waits for an editor again."""
    if not is_any_due(database, clock=clock):
        return 0
    with database.transaction() as connection:
        due = store.scheduled(connection, until=clock(), at_most=AT_ONCE)
        for each in due:
            _release(connection, each, clock())
        mine.hold(connection)
    return len(due)


def _release(connection: Connection, waiting: Issue, now: datetime) -> None:
    """Let a scheduled issue go as it was frozen, or make it a draft again where it has lost an article since."""
    lost = len(waiting.article_ids) - len(archive.visible(connection, waiting.article_ids))
    if lost:
        log.warning("issue_held", issue_id=waiting.id, lost=lost)
        store.unschedule(connection, waiting.id, reason=WITHDRAWN_SINCE)
    else:
        store.release(connection, waiting.id, goes_at=waiting.goes_at, now=now)


def _approve_automatic(database: Database, settings: Settings, mine: Turn, clock: Clock) -> int:
    """Render and freeze the drafts that need no editor; one that cannot be rendered waits for an editor."""
    with database.reading() as connection:
        drafts = store.automatic_drafts(connection, at_most=AT_ONCE)
        rendered = _render_all(connection, settings, drafts)
    if drafts:
        with database.transaction() as connection:
            for issue_id, frozen in rendered.items():
                if isinstance(frozen, Frozen):
                    store.freeze(connection, issue_id, frozen, now=clock())
                else:
                    store.hold_draft(connection, issue_id, frozen)
            mine.hold(connection)
    return len(drafts)


def _render_all(connection: Connection, settings: Settings, drafts: Sequence[Issue]) -> dict[IssueId, Frozen | str]:
    """Render drafts with one reading of all their articles; for one that cannot be, say why."""
    editions = {each.id: each for each in store.editions(connection)}
    spoken = _spoken(connection)
    carried = {
        piece.article.id: piece
        for piece in pieces(connection, [each for draft in drafts for each in draft.article_ids], settings)
    }
    return {
        draft.id: _try_to_render(
            draft,
            editions[draft.edition_id],
            [carried[each] for each in draft.article_ids if each in carried],
            settings,
            spoken,
        )
        for draft in drafts
    }


def _try_to_render(
    draft: Issue, edition: Edition, carried: Sequence[Piece], settings: Settings, spoken: Collection[str]
) -> Frozen | str:
    try:
        return _frozen(draft, edition, carried, settings, spoken)
    except PublisherError as problem:
        return str(problem)
    except Exception:
        # One broken template or article must not keep all other issues from going out.
        log.exception("issue_not_rendered", issue_id=draft.id)
        return "This issue could not be rendered; the log has the details."


def render_now(connection: Connection, settings: Settings, found: Issue, *, language: str = "") -> Rendering:
    """
    Render an issue as it would be frozen at this moment.

    Args:
        connection: Where to read.
        settings: The house's.
        found: The issue.
        language: Of the furniture; empty: the edition's.

    Raises:
        ConflictError: None of its articles is published any more.
        TemplateTextError: The editor's subject or introduction names an unknown slot.

    """
    edition = store.edition_of(connection, found.edition_id)
    edition = replace(edition, language=language or edition.language)
    return _rendered(found, edition, pieces(connection, found.article_ids, settings), settings)


def _rendered(
    found: Issue, edition: Edition, carried: Sequence[Piece], settings: Settings, *, is_page_wanted: bool = True
) -> Rendering:
    if not carried:
        problem = f"Issue {found.id} has no published article; add one, or cancel it."
        raise ConflictError(problem)
    return render.render_issue(
        edition=edition,
        issue=found,
        pieces=carried,
        furniture=furniture(edition, settings),
        is_page_wanted=is_page_wanted,
    )


def _frozen(
    found: Issue, edition: Edition, carried: Sequence[Piece], settings: Settings, spoken: Collection[str]
) -> Frozen:
    """Render an issue for everybody: its mail once for each language of the furniture that readers have chosen."""
    subjects.check_test(found, edition)
    others = sorted(set(spoken) - {furniture_language(edition.language)})
    tried = enumerate(found.subject_test.others if found.subject_test else (), start=1)
    titled = {number: replace(found, subject=subject) for number, subject in tried}

    def mail(each: Issue, language: str) -> Rendering:
        spoken_edition = replace(edition, language=language or edition.language)
        return _rendered(each, spoken_edition, carried, settings, is_page_wanted=False)

    return Frozen(
        rendering=_rendered(found, edition, carried, settings),
        translations={each: mail(found, each) for each in others},
        subjects={(number, each): mail(other, each) for number, other in titled.items() for each in ("", *others)},
    )


def _spoken(connection: Connection) -> set[str]:
    """Return the languages of the furniture that any reader has chosen."""
    known = (closest(tag, languages()) for tag in audience.languages(connection))
    return {each for each in known if each is not None}


def freeze_now(connection: Connection, settings: Settings, found: Issue) -> Frozen:
    """Render an issue for all its readers, as `render_now` does for one. Raises what that does."""
    edition = store.edition_of(connection, found.edition_id)
    carried = pieces(connection, found.article_ids, settings)
    return _frozen(found, edition, carried, settings, _spoken(connection))


def undo(database: Database, issue_id: IssueId) -> Issue:
    """
    Take an approval back as long as the issue waits for its time: it is a draft again, as its editor left it.

    Raises:
        ConflictError: It has gone out, or ended.

    """
    with database.transaction() as connection:
        found = store.issue_of(connection, issue_id)
        if store.unschedule(connection, issue_id):
            acts.note(connection, "approval undone", f"issue {issue_id}")
        elif found.state is not IssueState.DRAFT:
            problem = f"Issue {issue_id} is {found.state} already and cannot be undone; pause or cancel it."
            raise ConflictError(problem)
        return store.issue_of(connection, issue_id)


def as_it_may_be_shown(connection: Connection, settings: Settings, found: Issue) -> Rendering | None:
    """
    Return an approved issue for its page: as it was frozen, or without what has been withdrawn since.

    None where nothing of it is left. The frozen rendering itself stays, as proof of what was sent.
    """
    left = archive.visible(connection, found.article_ids)
    if not left:
        return None
    if len(left) == len(found.article_ids):
        return store.rendering_of(connection, found.id)
    return render_now(connection, settings, replace(found, subject=""))


def preview(database: Database, settings: Settings, issue_id: IssueId, *, language: str = "") -> Rendering:
    """Return a frozen issue's rendering, or a draft's as it would be now; in a reader's language where it has that."""
    with database.reading() as connection:
        found = store.issue_of(connection, issue_id)
        if found.state in {IssueState.APPROVED, IssueState.SCHEDULED}:
            kept = store.translations_of(connection, [issue_id])[issue_id]
            return kept.get(language) or store.rendering_of(connection, issue_id)
        return render_now(connection, settings, found, language=language if language in languages() else "")


def preview_article(
    database: Database, settings: Settings, edition_slug: str, article_id: ArticleId, *, clock: Clock
) -> Rendering:
    """
    Return how an article alone would look in a mail of an edition.

    Raises:
        ConflictError: It is not published.
        NotFoundError: There is no such edition.

    """
    with database.reading() as connection:
        edition = store.edition_named(connection, edition_slug)
        alone = Issue(
            id=IssueId(0),
            edition_id=edition.id,
            number=1,
            state=IssueState.DRAFT,
            window=None,
            slot_at=None,
            subject="",
            preheader="",
            introduction="",
            article_ids=(article_id,),
            created_at=clock(),
        )
        carried = pieces(connection, alone.article_ids, settings)
        if not carried:
            raise ConflictError("An article that is not published stands in no mail.")
        return _rendered(alone, edition, carried, settings)


def approve(
    database: Database, settings: Settings, issue_id: IssueId, *, goes_at: datetime | None = None, clock: Clock
) -> Issue:
    """
    Freeze a draft and let it go, at once or at an instant to come; approving it again changes nothing.

    One that is scheduled goes at once where no instant is named.

    Raises:
        ConflictError: It was cancelled or skipped, has no published article, or lost one while it was scheduled.
        InputError: The instant is over, or more than a year ahead.

    """
    if goes_at is not None:
        _must_be_to_come(goes_at, clock())
    with database.reading() as connection:
        found = store.issue_of(connection, issue_id)
        frozen = None if found.state is not IssueState.DRAFT else freeze_now(connection, settings, found)
    with database.transaction() as connection:
        if frozen is not None and goes_at is not None:
            store.schedule(connection, issue_id, frozen, goes_at=goes_at, now=clock())
        elif frozen is not None:
            store.freeze(connection, issue_id, frozen, now=clock())
        elif goes_at is None and found.state is IssueState.SCHEDULED:
            _release(connection, found, clock())
        after = store.issue_of(connection, issue_id)
        if after.state is not found.state and after.state is not IssueState.DRAFT:
            acts.note(connection, "issue approved", f"issue {issue_id}")
    if after.state is IssueState.DRAFT:
        raise ConflictError(after.reason or f"Issue {issue_id} was made a draft again meanwhile. Look at it once more.")
    if after.state not in {IssueState.APPROVED, IssueState.SCHEDULED}:
        problem = f"Issue {issue_id} is {after.state} and cannot be approved; draft a new one."
        raise ConflictError(problem)
    return after


def move(database: Database, issue_id: IssueId, goes_at: datetime, *, clock: Clock) -> Issue:
    """
    Give a scheduled issue another time, frozen as it is.

    Raises:
        NotFoundError: There is no such issue.
        ConflictError: It is not scheduled, or its time has come.
        InputError: The instant is over, or more than a year ahead.

    """
    _must_be_to_come(goes_at, clock())
    with database.transaction() as connection:
        found = store.issue_of(connection, issue_id)
        if not store.move(connection, issue_id, goes_at=goes_at, now=clock()):
            on_its_way = "about to go out" if found.state is IssueState.SCHEDULED else found.state.value
            problem = f"Issue {issue_id} is {on_its_way}; only one that waits for its time can be moved."
            raise ConflictError(problem)
        acts.note(connection, "issue moved", f"issue {issue_id}")
        return store.issue_of(connection, issue_id)


def _must_be_to_come(goes_at: datetime, now: datetime) -> None:
    if not now < goes_at <= now + SCHEDULED_AT_MOST:
        raise InputError("An issue goes out at an instant to come, within a year.", "goes_at")


# --- by hand


def draft_issue(
    database: Database,
    settings: Settings,
    edition_slug: str,
    *,
    article_ids: Sequence[ArticleId] = (),
    subject: str = "",
    introduction: str = "",
    clock: Clock,
) -> Issue:
    """
    Make a draft at once, of the articles named or else of the edition's last interval up to now.

    Raises:
        NotFoundError: No such edition or article.
        ConflictError: No article to put in.
        TemplateTextError: The subject or introduction names an unknown slot.

    """
    with database.reading() as connection:
        edition = store.edition_named(connection, edition_slug)
        draft = _draft_by_hand(connection, edition, article_ids, now=clock())
        draft = replace(draft, subject=subject, introduction=introduction)
        render_now(connection, settings, draft)
    with database.transaction() as connection:
        added = store.add_issue(connection, draft)
        assert added is not None, "an issue without slot and alert never meets a twin"
        acts.note(connection, "issue drafted", f"issue {added.id}")
    return added


def has_articles(connection: Connection, edition: Edition, *, now: datetime) -> bool:
    """Tell whether an issue that was drafted by hand at this moment would have an article."""
    return bool(_candidates(connection, edition, _hand_window(edition, now)))


def sample(database: Database, settings: Settings, edition_slug: str, *, clock: Clock) -> Rendering:
    """
    Return the mail of an issue that was drafted at this moment; nothing is stored.

    Raises:
        NotFoundError: No such edition.
        ConflictError: No article to put in.

    """
    with database.reading() as connection:
        edition = store.edition_named(connection, edition_slug)
        return render_now(connection, settings, _draft_by_hand(connection, edition, (), now=clock()))


def change_draft(
    database: Database, settings: Settings, changed: Issue, *, check: Callable[[Issue], None] = lambda _: None
) -> Issue:
    """
    Store an editor's changes to a draft once they render. Raises ConflictError, TemplateTextError.

    `check` may refuse, by raising, what the draft has become meanwhile; nobody else changes it until this is stored.
    """
    with database.reading() as connection:
        render_now(connection, settings, changed)
        subjects.check_test(changed, store.edition_of(connection, changed.edition_id))
    with database.transaction() as connection:
        check(store.held(connection, changed.id))
        store.change_draft(connection, changed)
        acts.note(connection, "draft changed", f"issue {changed.id}")
        return store.issue_of(connection, changed.id)


def cancel_draft(database: Database, issue_id: IssueId, *, reason: str = "Cancelled by an editor.") -> bool:
    """Cancel a draft; False where it is no draft (an approved one is dispatch's to stop)."""
    with database.transaction() as connection:
        store.issue_of(connection, issue_id)
        is_ended = store.end_draft(connection, issue_id, IssueState.CANCELLED, reason)
        if is_ended:
            acts.note(connection, "issue cancelled", f"issue {issue_id}")
        return is_ended


def _draft_by_hand(
    connection: Connection, edition: Edition, article_ids: Sequence[ArticleId], *, now: datetime
) -> Issue:
    window = None if article_ids else _hand_window(edition, now)
    leads = _leads_by_hand(connection, edition, article_ids, window)
    return replace(_draft(edition, leads, now=now), window=window)


def _hand_window(edition: Edition, now: datetime) -> Window:
    return Window(start=now - due.interval(edition.cadence), end=now + due.AN_INSTANT)


def _leads_by_hand(
    connection: Connection, edition: Edition, article_ids: Sequence[ArticleId], window: Window | None
) -> Sequence[Lead]:
    if window is None:
        return due.published_or_refuse(article_ids, archive.leads(connection, article_ids))
    leads = _candidates(connection, edition, window)
    if edition.kind is EditionKind.ALERT:
        leads = leads[:1]
    if not leads:
        problem = f"No article for {edition.name!r} was published since {window.start:%Y-%m-%d %H:%M} UTC; name some."
        raise ConflictError(problem)
    return leads
