from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from sqlalchemy.engine import Connection

from publisher.archive.model import ArticleId
from publisher.related import signatures, store
from publisher.related.model import Entry, Frequency, Profile, Text
from publisher.related.sense import Embed, nothing
from publisher.related.signatures import Reading


def index(
    connection: Connection, texts: Sequence[Text], *, counted: Collection[ArticleId], embed: Embed = nothing
) -> list[Entry]:
    """
    Return what texts are to be found by, without writing it.

    How common a term is, is settled for an article when it comes in and never worked out again:
    measured, that costs nothing, and nothing is ever rebuilt.

    Args:
        connection: Where to read how common the terms are.
        texts: The new and the revised articles of one step.
        counted: Articles whose first version is counted already; a revision is not counted again.
        embed: Returns what a sentence model makes of a text.

    """
    readings = [signatures.read(text) for text in texts]
    counts = [
        () if text.id in counted else (*reading.counts, signatures.whole(text.language))
        for text, reading in zip(texts, readings, strict=True)
    ]
    terms = {signatures.whole(text.language) for text in texts}.union(*(reading.counts for reading in readings))
    common = _frequencies(connection, terms, Counter(chain(*counts)))
    return [_entry(*each, common, embed) for each in zip(texts, readings, counts, strict=True)]


def asked(connection: Connection, profile: Profile) -> dict[int, int]:
    """Return the terms by which an article of the archive looks for others anew, with their weights."""
    posted = signatures.posted(profile.signature, language=profile.language)
    whole = signatures.whole(profile.language)
    common = _frequencies(connection, {whole, *posted}, {})
    return signatures.asked(posted, common, articles=common[whole].articles)


def _frequencies(connection: Connection, terms: Collection[int], added: Mapping[int, int]) -> dict[int, Frequency]:
    """Return how common terms are with this step's articles; each is in one article at least, the one that asks."""
    stored = store.frequencies(connection, terms)
    unknown = Frequency(articles=0, posted=0)
    return {
        term: Frequency(articles=max(1, before.articles + added.get(term, 0)), posted=before.posted)
        for term, before in ((term, stored.get(term, unknown)) for term in terms)
    }


def _entry(
    text: Text, reading: Reading, counted: Collection[int], common: Mapping[int, Frequency], embed: Embed
) -> Entry:
    articles = common[signatures.whole(text.language)].articles
    signature = signatures.sign(reading, common, articles=articles)
    posted = signatures.posted(signature, language=text.language)
    profile = Profile(
        id=text.id,
        language=text.language,
        published_at=text.published_at,
        signature=signature,
        packed_sketch=signatures.pack_sketch(reading.sketch),
        embedding=embed(text),
    )
    asked = signatures.asked(posted, common, articles=articles)
    return Entry(text=text, profile=profile, posted=posted, asked=asked, counted=counted)
