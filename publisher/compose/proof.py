"""What an editor should know of a draft before approving it."""

from collections.abc import Iterator, Sequence

from publisher.archive.model import ArticleState, Lead
from publisher.compose.model import Edition, EditionKind, Rendering
from publisher.compose.render import HTML_AT_MOST_BYTES


def remarks(edition: Edition, leads: Sequence[Lead], rendering: Rendering) -> Iterator[str]:
    """
    Yield a sentence for each thing that a reader would stumble over; none of them forbids anything.

    Args:
        edition: What it is an issue of.
        leads: The articles chosen, in whatever state.
        rendering: The mail as it is now.

    """
    shown = [each for each in leads if each.state is ArticleState.PUBLISHED]
    size = len(rendering.html.encode())
    if len(shown) < edition.at_least:
        yield f"{_articles(len(shown))} in the mail; the edition asks for at least {edition.at_least}."
    yield from (f"“{each.title}” is {each.state}, so the mail leaves it out." for each in leads if each not in shown)
    if edition.kind is EditionKind.ALERT and len(shown) > 1:
        yield "An alert is about one article: the mail shows only the first."
    if not rendering.preheader:
        yield "There is no preheader: the inbox will show the mail’s first words in its place."
    if size > HTML_AT_MOST_BYTES:
        yield f"The mail is {size / 1000:.0f} kB long; Gmail cuts off what is near 102 kB."
    for each in shown:
        if each.image and not each.image.alt:
            yield f"The picture of “{each.title}” has no alternative text."


def _articles(number: int) -> str:
    return f"{number} article{'' if number == 1 else 's'}"
