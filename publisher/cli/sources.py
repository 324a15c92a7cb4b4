from typing import Annotated

import typer

from publisher.cli.show import AsJson, print_json, show

app = typer.Typer(no_args_is_help=True)


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Address of an RSS or Atom feed.")],
    name: Annotated[str, typer.Option(help="How the desk calls it.")] = "",
    every: Annotated[int, typer.Option(help="Seconds between two readings.")] = 900,
    topic: Annotated[list[str], typer.Option("--topic", help="For entries that name none. May be repeated.")] = [],
    as_json: AsJson = False,
) -> None:
    """Read a newsroom's own feed from now on; it is read for the first time at once."""
    from publisher.bell import Job
    from publisher.intake.polling import add_source
    from publisher.wiring import newsroom

    room = newsroom()
    source_id = add_source(
        room.database, room.settings, url, name=name, every_s=every, topics=tuple(topic), clock=room.now
    )
    room.bell.ring(Job.POLL)
    if as_json:
        print_json({"id": source_id, "url": url})
    else:
        print(f"{source_id:>6}  {url}")


@app.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """List the sources, and what went wrong with them last."""
    from publisher.intake.polling import sources
    from publisher.wiring import newsroom

    show(
        (
            {
                "id": each.id,
                "name": each.name,
                "url": each.url,
                "state": each.state,
                "every_s": each.every_s,
                "polled_at": each.polled_at,
                "problem": each.problem,
            }
            for each in sources(newsroom().database)
        ),
        as_json=as_json,
        empty="There is no source. Add one: publisher source add https://news.example.org/feed.xml",
    )


@app.command("remove")
def remove(source: Annotated[int, typer.Argument(help="Id.")]) -> None:
    """Read a source no longer; its articles stay."""
    from publisher.intake.model import SourceId
    from publisher.intake.polling import remove_source
    from publisher.wiring import newsroom

    remove_source(newsroom().database, SourceId(source))
    print(f"{source:>6}  removed")
