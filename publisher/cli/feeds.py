from typing import TYPE_CHECKING, Annotated

import typer

from publisher.cli.show import AsJson, show
from publisher.errors import InputError

if TYPE_CHECKING:
    from publisher.syndication.model import FeedKey

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Such as topics/food, authors/han-jisoo, editions/weekly.")]


@app.command("list")
def list_feeds(as_json: AsJson = False) -> None:
    """List the feeds, with how many entries each has and where it leads if it was moved."""
    from publisher.syndication import store
    from publisher.wiring import newsroom

    room = newsroom()
    with room.database.reading() as connection:
        found = store.listed(connection)
    show(
        (
            {
                "feed": _name(each.key),
                "state": "moved" if each.moved_to else each.state.value,
                "entries": each.entries,
                "moved_to": _name(each.moved_to) if each.moved_to else "",
                "url": f"{room.settings.base_url}{each.key.path}.atom",
            }
            for each in found
        ),
        as_json=as_json,
        empty="There is no feed yet: they come with the first article.",
    )


@app.command("end")
def end(feed: Name) -> None:
    """Close a feed for good: it answers 410, and readers stop asking. Its articles stay where else they are."""
    from publisher.syndication import flow
    from publisher.wiring import newsroom

    flow.end(newsroom().database, _key(feed))
    print(f"{feed} has ended; it answers 410 from now on. To take that back: publisher feed reopen {feed}")


@app.command("reopen")
def reopen(feed: Name) -> None:
    """Publish a feed again that was ended."""
    from publisher.syndication import flow
    from publisher.wiring import newsroom

    flow.reopen(newsroom().database, _key(feed))
    print(f"{feed} is published again.")


@app.command("move")
def move(
    feed: Name, to: Annotated[str, typer.Argument(help="A feed of the same kind: topics/cuisine topics/food.")]
) -> None:
    """Let a feed lead to another one for good (301), as after a topic got a new name; readers follow."""
    from publisher.syndication import flow
    from publisher.wiring import newsroom

    old, new = _key(feed), _key(to)
    if old == new or old.kind is not new.kind:
        raise InputError(f"A feed moves to another one of its kind, such as {feed.partition('/')[0]}/new-name.", "to")
    room = newsroom()
    flow.move(room.database, old, new.slug, clock=room.now)
    print(f"{feed} leads to {to} from now on.")


def _key(name: str) -> "FeedKey":
    """Return which feed is meant, by its address without what all have in common. Raises InputError."""
    from publisher.syndication.model import MADE_WHEN_ASKED, address_of

    found = address_of(f"/feeds/{name.strip('/').removeprefix('feeds/').removesuffix('.atom')}.atom")
    if found is None or found.archive or not found.key.slug or found.key.kind in MADE_WHEN_ASKED:
        raise InputError(f"{name!r} is no feed that can be ended or moved; see `publisher feed list`.", "feed")
    return found.key


def _name(key: "FeedKey") -> str:
    return key.path.removeprefix("/feeds/")
