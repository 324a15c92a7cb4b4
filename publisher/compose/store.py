from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.archive.model import ArticleId
from publisher.audience import segment_store
from publisher.audience.model import MailingListId
from publisher.audience.segments import Segment, SegmentId
from publisher.compose import cadence, subjects
from publisher.compose.model import (
    Approval,
    Arrival,
    Edition,
    EditionId,
    EditionKind,
    Frozen,
    InDoubt,
    Issue,
    IssueId,
    IssueState,
    Rendering,
    Tracking,
    Window,
)
from publisher.compose.slots import Slot, filled
from publisher.compose.tables import edition, issue, issue_article, issue_rendering, issue_subject, issue_translation
from publisher.database import insert_or_ignore
from publisher.errors import ConflictError, NotFoundError

NOT_OUT = (IssueState.DRAFT, IssueState.SCHEDULED)

# Put together once: each new article runs all of them for its alert.
_HOLD_EDITION = sa.update(edition).where(edition.c.id == sa.bindparam("wanted")).values(is_active=edition.c.is_active)
_NEXT_NUMBER = sa.select(sa.func.coalesce(sa.func.max(issue.c.number), 0) + 1).where(
    issue.c.edition_id == sa.bindparam("wanted")
)
_PUT_ARTICLES = sa.insert(issue_article)
_FREEZE = (
    sa.update(issue)
    .where(issue.c.id == sa.bindparam("wanted"), issue.c.state == sa.bindparam("before"))
    .values(
        state=IssueState.APPROVED,
        approved_at=sa.bindparam("at"),
        subject=sa.bindparam("new_subject"),
        preheader=sa.bindparam("new_preheader"),
    )
)
_KEEP_RENDERING = sa.insert(issue_rendering)
_KEEP_TRANSLATION = sa.insert(issue_translation)
_KEEP_SUBJECT = sa.insert(issue_subject)


def editions(connection: Connection, *, active_only: bool = False) -> list[Edition]:
    """Return all editions in the order of their making."""
    wanted = sa.select(edition).order_by(edition.c.id)
    if active_only:
        wanted = wanted.where(edition.c.is_active)
    return [_edition(row) for row in connection.execute(wanted)]


def edition_named(connection: Connection, slug: str) -> Edition:
    """Return one edition. Raises NotFoundError."""
    row = connection.execute(sa.select(edition).where(edition.c.slug == slug)).first()
    if row is None:
        raise NotFoundError("edition", slug)
    return _edition(row)


def edition_of(connection: Connection, edition_id: EditionId) -> Edition:
    """Return one edition. Raises NotFoundError."""
    row = connection.execute(sa.select(edition).where(edition.c.id == edition_id)).first()
    if row is None:
        raise NotFoundError("edition", edition_id)
    return _edition(row)


def remove_segment(connection: Connection, found: Segment) -> None:
    """Remove a segment that no edition goes to. Raises ConflictError."""
    users = [each.name for each in editions(connection) if each.segment_id == found.id]
    if users:
        problem = f"{' and '.join(users)} would lose the readers of {found.name!r}; choose others for it first."
        raise ConflictError(problem)
    segment_store.remove_segment(connection, found)


def add_edition(connection: Connection, found: Edition, *, now: datetime) -> Edition:
    """Store a new edition (its `id` is ignored). Raises ConflictError where the slug is taken."""
    row = {
        "slug": found.slug,
        "name": found.name,
        "kind": found.kind,
        "mailing_list_id": found.mailing_list_id,
        "cadence": cadence.describe(found.cadence) if found.cadence else None,
        "topics": list(found.topics),
        "languages": list(found.languages),
        "at_least": found.at_least,
        "at_most": found.at_most,
        "approval": found.approval,
        "stale_after_s": int(found.stale_after.total_seconds()),
        "language": found.language,
        "accent": found.accent,
        "footer": found.footer,
        "subject": found.subject,
        "is_active": found.is_active,
        "tracking": found.tracking,
        "in_doubt": found.in_doubt,
        "arrival": found.arrival,
        "segment_id": found.segment_id,
        "logo": found.logo,
        "created_at": now,
        "slot_done_at": now,
    }
    added = insert_or_ignore(connection, edition).values(row).returning(edition.c.id)
    edition_id = connection.scalar(added)
    if edition_id is None:
        problem = f"There is an edition {found.slug!r} already; choose another slug."
        raise ConflictError(problem)
    acts.note(connection, "edition added", found.slug)
    return replace(found, id=EditionId(edition_id))


def change_edition(connection: Connection, changed: Edition) -> Edition:
    """
    Store an edition's new rules; its slug, kind and mailing list stay. What is approved already keeps the old ones.

    Raises:
        NotFoundError: There is no such edition.

    """
    row = {
        "name": changed.name,
        "cadence": cadence.describe(changed.cadence) if changed.cadence else None,
        "at_least": changed.at_least,
        "at_most": changed.at_most,
        "approval": changed.approval,
        "stale_after_s": int(changed.stale_after.total_seconds()),
        "is_active": changed.is_active,
        "tracking": changed.tracking,
        "in_doubt": changed.in_doubt,
        "arrival": changed.arrival,
        "segment_id": changed.segment_id,
        "topics": list(changed.topics),
        "languages": list(changed.languages),
        "language": changed.language,
        "accent": changed.accent,
        "footer": changed.footer,
        "logo": changed.logo,
        "subject": changed.subject,
    }
    if connection.execute(sa.update(edition).where(edition.c.id == changed.id).values(row)).rowcount == 0:
        raise NotFoundError("edition", changed.slug)
    acts.note(connection, "edition changed", changed.slug)
    return changed


def slot_done_at(connection: Connection, edition_id: EditionId) -> datetime:
    """Return the instant up to which an edition's slots have been dealt with."""
    done: datetime = connection.execute(
        sa.select(edition.c.slot_done_at).where(edition.c.id == edition_id)
    ).scalar_one()
    return done


def slots_done(connection: Connection, edition_id: EditionId, until: datetime) -> None:
    """Note that every slot of an edition up to an instant has been dealt with; never goes back."""
    connection.execute(
        sa.update(edition).where(edition.c.id == edition_id, edition.c.slot_done_at < until).values(slot_done_at=until)
    )


def issue_of(connection: Connection, issue_id: IssueId) -> Issue:
    """Return one issue. Raises NotFoundError."""
    found = _issues(connection, sa.select(issue).where(issue.c.id == issue_id))
    if not found:
        raise NotFoundError("issue", issue_id)
    return found[0]


def held(connection: Connection, issue_id: IssueId) -> Issue:
    """Return an issue that nobody else changes until this transaction ends. Raises NotFoundError."""
    connection.execute(sa.select(issue.c.id).where(issue.c.id == issue_id).with_for_update())
    return issue_of(connection, issue_id)


def held_edition(connection: Connection, slug: str) -> Edition:
    """Return an edition that nobody else changes until this transaction ends. Raises NotFoundError."""
    connection.execute(sa.select(edition.c.id).where(edition.c.slug == slug).with_for_update())
    return edition_named(connection, slug)


def issues_of(connection: Connection, issue_ids: Sequence[IssueId]) -> list[Issue]:
    """Return several issues, oldest first; unknown ids are left out."""
    return _issues(connection, sa.select(issue).where(issue.c.id.in_(issue_ids)).order_by(issue.c.id))


def back_issue(connection: Connection, edition_slug: str, number: int) -> Issue | None:
    """Return an edition's approved issue by its number."""
    wanted = (
        sa.select(issue)
        .join(edition)
        .where(edition.c.slug == edition_slug, issue.c.number == number, issue.c.state == IssueState.APPROVED)
    )
    found = _issues(connection, wanted)
    return found[0] if found else None


def issues(
    connection: Connection,
    *,
    at_most: int,
    edition_id: EditionId | None = None,
    states: Sequence[IssueState] = (),
    before: IssueId | None = None,
) -> list[Issue]:
    """Return issues, newest first."""
    wanted = sa.select(issue).order_by(issue.c.id.desc()).limit(at_most)
    if edition_id is not None:
        wanted = wanted.where(issue.c.edition_id == edition_id)
    if states:
        wanted = wanted.where(issue.c.state.in_(states))
    if before is not None:
        wanted = wanted.where(issue.c.id < before)
    return _issues(connection, wanted)


def issues_with(connection: Connection, article_id: ArticleId) -> list[Issue]:
    """Return the issues that carry an article, newest first."""
    ids = sa.select(issue_article.c.issue_id).where(issue_article.c.article_id == article_id)
    return _issues(connection, sa.select(issue).where(issue.c.id.in_(ids)).order_by(issue.c.id.desc()))


def last_window_end(connection: Connection, edition_id: EditionId) -> datetime | None:
    """Return where the newest window of an edition ends that came to an issue; skipped ones carry over."""
    end: datetime | None = connection.scalar(
        sa.select(sa.func.max(issue.c.window_end)).where(
            issue.c.edition_id == edition_id,
            issue.c.slot_at.is_not(None),
            issue.c.state.in_((IssueState.APPROVED, *NOT_OUT)),
        )
    )
    return end


def add_issue(connection: Connection, found: Issue, *, alert_article_id: ArticleId | None = None) -> Issue | None:
    """
    Store a new issue with the edition's next number (its `id` and `number` are ignored).

    Returns None where the slot, or the alert's article, has its issue already: whoever was first, it is one.
    """
    # Numbers are given one after the other: two transactions may not read the same highest one.
    connection.execute(_HOLD_EDITION, {"wanted": found.edition_id})
    number = connection.execute(_NEXT_NUMBER, {"wanted": found.edition_id}).scalar_one()
    row = {
        "edition_id": found.edition_id,
        "number": number,
        "state": found.state,
        "window_start": found.window.start if found.window else None,
        "window_end": found.window.end if found.window else None,
        "slot_at": found.slot_at,
        "alert_article_id": alert_article_id,
        "subject": found.subject,
        "preheader": found.preheader,
        "introduction": found.introduction,
        "created_at": found.created_at,
        "approved_at": found.approved_at,
        "reason": found.reason,
        "subject_test": subjects.to_json(found.subject_test),
    }
    issue_id = connection.scalar(insert_or_ignore(connection, issue).returning(issue.c.id), row)
    if issue_id is None:
        return None
    _write_articles(connection, IssueId(issue_id), found.article_ids)
    return replace(found, id=IssueId(issue_id), number=number)


def change_draft(connection: Connection, found: Issue) -> None:
    """Store an editor's changes. Raises ConflictError once the issue is no draft any more."""
    changed = connection.execute(
        sa.update(issue)
        .where(issue.c.id == found.id, issue.c.state == IssueState.DRAFT)
        .values(
            subject=found.subject,
            preheader=found.preheader,
            introduction=found.introduction,
            subject_test=subjects.to_json(found.subject_test),
        )
    )
    if changed.rowcount != 1:
        problem = f"Issue {found.id} is no draft any more; what was approved is frozen."
        raise ConflictError(problem)
    connection.execute(sa.delete(issue_article).where(issue_article.c.issue_id == found.id))
    _write_articles(connection, found.id, found.article_ids)


def freeze(connection: Connection, issue_id: IssueId, frozen: Frozen, *, now: datetime) -> bool:
    """Make a draft an approved issue with just these renderings; False where it is no draft any more."""
    if not _let_go(connection, issue_id, frozen.rendering, before=IssueState.DRAFT, now=now):
        return False
    _keep_renderings(connection, issue_id, frozen, now)
    return True


def schedule(connection: Connection, issue_id: IssueId, frozen: Frozen, *, goes_at: datetime, now: datetime) -> bool:
    """Make a draft an issue that goes out later, with just these renderings; False where it is no draft any more."""
    waiting = sa.update(issue).where(issue.c.id == issue_id, issue.c.state == IssueState.DRAFT)
    if connection.execute(waiting.values(state=IssueState.SCHEDULED, goes_at=goes_at)).rowcount != 1:
        return False
    _keep_renderings(connection, issue_id, frozen, now)
    return True


def release(connection: Connection, issue_id: IssueId, *, goes_at: datetime | None, now: datetime) -> bool:
    """Let an issue go, as it was frozen, that was scheduled for this time; False where it is not any more."""
    held = sa.select(issue.c.goes_at).where(issue.c.id == issue_id).with_for_update()  # or it is moved meanwhile
    if connection.scalar(held) != goes_at:
        return False
    kept = renderings_of(connection, [issue_id]).get(issue_id)
    return kept is not None and _let_go(connection, issue_id, kept, before=IssueState.SCHEDULED, now=now)


def unschedule(connection: Connection, issue_id: IssueId, *, reason: str = "") -> bool:
    """
    Make a scheduled issue a draft again, as its editor left it; False where it is not scheduled any more.

    Without another reason it keeps that for which it was held before: one without any would go out by itself.
    """
    back = sa.update(issue).where(issue.c.id == issue_id, issue.c.state == IssueState.SCHEDULED)
    values = {"state": IssueState.DRAFT, "goes_at": None} | ({"reason": reason} if reason else {})
    if connection.execute(back.values(values)).rowcount != 1:
        return False
    for table in (issue_rendering, issue_translation, issue_subject):
        connection.execute(sa.delete(table).where(table.c.issue_id == issue_id))
    return True


def scheduled(connection: Connection, *, until: datetime | None = None, at_most: int) -> list[Issue]:
    """Return issues that wait for their time, the next first; all, or those whose time comes by an instant."""
    wanted = sa.select(issue).where(issue.c.state == IssueState.SCHEDULED)
    if until is not None:
        wanted = wanted.where(issue.c.goes_at <= until)
    return _issues(connection, wanted.order_by(issue.c.goes_at, issue.c.id).limit(at_most))


def approved_between(connection: Connection, start: datetime, end: datetime, *, at_most: int) -> list[Issue]:
    """Return the issues that were approved from one instant to before another, the first ones first."""
    wanted = sa.select(issue).where(
        issue.c.approved_at >= start, issue.c.approved_at < end, issue.c.state == IssueState.APPROVED
    )
    return _issues(connection, wanted.order_by(issue.c.approved_at, issue.c.id).limit(at_most))


def move(connection: Connection, issue_id: IssueId, *, goes_at: datetime, now: datetime) -> bool:
    """Give a scheduled issue another time; False where it is not scheduled any more, or its time has come."""
    waiting = sa.update(issue).where(
        issue.c.id == issue_id, issue.c.state == IssueState.SCHEDULED, issue.c.goes_at > now
    )
    return connection.execute(waiting.values(goes_at=goes_at)).rowcount == 1


def _let_go(
    connection: Connection, issue_id: IssueId, rendering: Rendering, *, before: IssueState, now: datetime
) -> bool:
    anybody = {Slot.NAME: rendering.reader}  # whom its subject speaks to on the site, in feeds and lists
    shown = {
        "new_subject": filled(rendering.subject, anybody),
        "new_preheader": filled(rendering.preheader, anybody),
    }
    return connection.execute(_FREEZE, {"wanted": issue_id, "before": before, "at": now, **shown}).rowcount == 1


def _keep_renderings(connection: Connection, issue_id: IssueId, frozen: Frozen, now: datetime) -> None:
    rendering = frozen.rendering
    kept = _mail_of(issue_id, rendering) | {"web_html": rendering.web_html, "rendered_at": now}
    connection.execute(_KEEP_RENDERING, kept)
    translated = [_mail_of(issue_id, each) | {"language": language} for language, each in frozen.translations.items()]
    if translated:
        connection.execute(_KEEP_TRANSLATION, translated)
    tried = [
        _mail_of(issue_id, each) | {"number": number, "language": language}
        for (number, language), each in frozen.subjects.items()
    ]
    if tried:
        connection.execute(_KEEP_SUBJECT, tried)


def _mail_of(issue_id: IssueId, rendering: Rendering) -> dict[str, Any]:
    return {
        "issue_id": issue_id,
        "subject": rendering.subject,
        "preheader": rendering.preheader,
        "text": rendering.text,
        "html": rendering.html,
        "reader": rendering.reader,
    }


def automatic_drafts(connection: Connection, *, at_most: int) -> list[Issue]:
    """Return drafts that came about by themselves and need no editor, oldest first."""
    wanted = (
        sa.select(issue)
        .join(edition)
        .where(
            issue.c.state == IssueState.DRAFT,
            edition.c.approval == Approval.AUTOMATIC,
            sa.or_(issue.c.slot_at.is_not(None), issue.c.alert_article_id.is_not(None)),
            issue.c.reason == "",
        )
        .order_by(issue.c.id)
        .limit(at_most)
    )
    return _issues(connection, wanted)


def hold_draft(connection: Connection, issue_id: IssueId, reason: str) -> None:
    """Leave a draft to an editor, saying why."""
    held = sa.update(issue).where(issue.c.id == issue_id, issue.c.state == IssueState.DRAFT)
    connection.execute(held.values(reason=reason))


def end_draft(connection: Connection, issue_id: IssueId, state: IssueState, reason: str) -> bool:
    """Cancel or skip what has not gone out; False where it has, or has ended."""
    ended = sa.update(issue).where(issue.c.id == issue_id, issue.c.state.in_(NOT_OUT))
    return connection.execute(ended.values(state=state, reason=reason)).rowcount == 1


def rendering_of(connection: Connection, issue_id: IssueId) -> Rendering:
    """Return what was frozen when an issue was approved. Raises NotFoundError before that."""
    found = renderings_of(connection, [issue_id])
    if not found:
        raise NotFoundError("rendering of issue", issue_id)
    return found[issue_id]


def renderings_of(connection: Connection, issue_ids: Sequence[IssueId]) -> dict[IssueId, Rendering]:
    """Return what was frozen of several issues; those not approved are left out."""
    rows = connection.execute(sa.select(issue_rendering).where(issue_rendering.c.issue_id.in_(issue_ids)))
    return {IssueId(row.issue_id): _rendering(row, row.web_html) for row in rows}


def translations_of(connection: Connection, issue_ids: Sequence[IssueId]) -> dict[IssueId, dict[str, Rendering]]:
    """Return the mails of several issues in the other languages of their readers, by language."""
    found: dict[IssueId, dict[str, Rendering]] = {each: {} for each in issue_ids}
    wanted = sa.select(issue_translation).where(issue_translation.c.issue_id.in_(issue_ids))
    for row in connection.execute(wanted.order_by(issue_translation.c.language)):
        found[IssueId(row.issue_id)][row.language] = _rendering(row, "")
    return found


def subjects_of(
    connection: Connection, issue_ids: Sequence[IssueId]
) -> dict[IssueId, dict[tuple[int, str], Rendering]]:
    """Return the mails of several issues under the other subjects of a test, by number and language."""
    found: dict[IssueId, dict[tuple[int, str], Rendering]] = {each: {} for each in issue_ids}
    wanted = sa.select(issue_subject).where(issue_subject.c.issue_id.in_(issue_ids))
    for row in connection.execute(wanted.order_by(issue_subject.c.number, issue_subject.c.language)):
        found[IssueId(row.issue_id)][row.number, row.language] = _rendering(row, "")
    return found


def _rendering(row: Any, web_html: str) -> Rendering:
    return Rendering(
        subject=row.subject,
        preheader=row.preheader,
        text=row.text,
        html=row.html,
        web_html=web_html,
        reader=row.reader,
    )


def _write_articles(connection: Connection, issue_id: IssueId, ids: Iterable[ArticleId]) -> None:
    rows = [{"issue_id": issue_id, "position": place, "article_id": each} for place, each in enumerate(ids)]
    if rows:
        connection.execute(_PUT_ARTICLES, rows)


def _issues(connection: Connection, wanted: sa.Select[Any]) -> list[Issue]:
    rows = connection.execute(wanted).all()
    carried = sa.select(issue_article).where(issue_article.c.issue_id.in_([row.id for row in rows]))
    articles: dict[int, tuple[ArticleId, ...]] = defaultdict(tuple)
    for each in connection.execute(carried.order_by(issue_article.c.issue_id, issue_article.c.position)):
        articles[each.issue_id] += (ArticleId(each.article_id),)
    return [_issue(row, articles[row.id]) for row in rows]


def _issue(row: Any, article_ids: tuple[ArticleId, ...]) -> Issue:
    return Issue(
        id=IssueId(row.id),
        edition_id=EditionId(row.edition_id),
        number=row.number,
        state=IssueState(row.state),
        window=Window(start=row.window_start, end=row.window_end) if row.window_end else None,
        slot_at=row.slot_at,
        subject=row.subject,
        preheader=row.preheader,
        introduction=row.introduction,
        article_ids=article_ids,
        created_at=row.created_at,
        approved_at=row.approved_at,
        goes_at=row.goes_at,
        reason=row.reason,
        subject_test=subjects.from_json(row.subject_test),
    )


def _edition(row: Any) -> Edition:
    return Edition(
        id=EditionId(row.id),
        slug=row.slug,
        name=row.name,
        kind=EditionKind(row.kind),
        mailing_list_id=MailingListId(row.mailing_list_id),
        cadence=cadence.parse(row.cadence) if row.cadence else None,
        topics=tuple(row.topics),
        languages=tuple(row.languages),
        at_least=row.at_least,
        at_most=row.at_most,
        approval=Approval(row.approval),
        stale_after=timedelta(seconds=row.stale_after_s),
        language=row.language,
        accent=row.accent,
        logo=row.logo,
        footer=row.footer,
        subject=row.subject,
        is_active=row.is_active,
        tracking=Tracking(row.tracking),
        in_doubt=InDoubt(row.in_doubt),
        arrival=Arrival(row.arrival),
        segment_id=SegmentId(row.segment_id) if row.segment_id is not None else None,
    )
