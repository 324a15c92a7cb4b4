from fastapi import FastAPI
from starlette.types import Lifespan

from publisher.web import health, problems, static
from publisher.web.desk import archive as desk_archive
from publisher.web.desk import articles as desk_articles
from publisher.web.desk import calendar as desk_calendar
from publisher.web.desk import calendar_feed as desk_calendar_feed
from publisher.web.desk import code as desk_code
from publisher.web.desk import deliveries as desk_deliveries
from publisher.web.desk import editions as desk_editions
from publisher.web.desk import editors as desk_editors
from publisher.web.desk import embedding as desk_embedding
from publisher.web.desk import glossary as desk_glossary
from publisher.web.desk import hand_in as desk_hand_in
from publisher.web.desk import imports as desk_imports
from publisher.web.desk import issue as desk_issue
from publisher.web.desk import issues as desk_issues
from publisher.web.desk import live as desk_live
from publisher.web.desk import mailing_lists as desk_mailing_lists
from publisher.web.desk import me as desk_me
from publisher.web.desk import move_in as desk_move_in
from publisher.web.desk import moves as desk_moves
from publisher.web.desk import new_edition as desk_new_edition
from publisher.web.desk import outbox as desk_outbox
from publisher.web.desk import proposals as desk_proposals
from publisher.web.desk import record as desk_record
from publisher.web.desk import segments as desk_segments
from publisher.web.desk import sign_in as desk_sign_in
from publisher.web.desk import sources as desk_sources
from publisher.web.desk import subscriber as desk_subscriber
from publisher.web.desk import subscribers as desk_subscribers
from publisher.web.desk import suppressions as desk_suppressions
from publisher.web.desk import system as desk_system
from publisher.web.desk import today as desk_today
from publisher.web.desk import tokens as desk_tokens
from publisher.web.desk import webhooks as desk_webhooks
from publisher.web.public import (
    articles,
    back_issues,
    clicks,
    confirm,
    feeds,
    glossary,
    home,
    lists,
    media,
    own_data,
    preferences,
    subscribe,
    unsubscribe,
)

ROUTERS = (
    static.router,
    health.router,
    home.router,
    articles.router,
    lists.router,
    back_issues.router,
    feeds.router,
    glossary.router,
    media.router,
    subscribe.router,
    confirm.router,
    own_data.router,
    preferences.router,
    unsubscribe.router,
    clicks.router,
    desk_calendar_feed.router,
    desk_code.router,
    desk_sign_in.router,
    desk_today.router,
    desk_me.router,
    desk_system.router,
    desk_move_in.router,
    desk_hand_in.router,
    desk_archive.router,
    desk_articles.router,
    desk_issues.router,
    desk_issue.router,
    desk_calendar.router,
    desk_deliveries.router,
    desk_live.router,
    desk_moves.router,
    desk_new_edition.router,
    desk_embedding.router,
    desk_mailing_lists.router,
    desk_sources.router,
    desk_editions.router,
    desk_subscribers.router,
    desk_subscriber.router,
    desk_imports.router,
    desk_suppressions.router,
    desk_segments.router,
    desk_proposals.router,
    desk_glossary.router,
    desk_outbox.router,
    desk_webhooks.router,
    desk_editors.router,
    desk_record.router,
    desk_tokens.router,
)
"""The pages, in the order in which a path is looked for. A folder of pages has one router each file."""


def make_site(lifespan: Lifespan[FastAPI]) -> FastAPI:
    """Return the application with every page for people: public ones and the desk."""
    site = FastAPI(
        title="Publisher",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # one-click unsubscribing must never be redirected (RFC 8058, section 3.1)
        lifespan=lifespan,
    )
    for router in ROUTERS:
        site.include_router(router)
    problems.answer_with_pages(site)
    return site
