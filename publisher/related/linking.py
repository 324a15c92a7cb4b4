from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from publisher.archive.model import ArticleId
from publisher.related import index, rules, signatures, store
from publisher.related.model import Entry, Link, Origin, Profile, Text
from publisher.related.reasons import SHARED, Spelling
from publisher.related.rules import Chosen, Match

Links = dict[ArticleId, tuple[Link, ...]]
_News = dict[ArticleId, float]
"""New or revised articles with their likeness to an older one."""
_Bans = Mapping[ArticleId, Collection[ArticleId]]
CERTAIN = float("inf")
"""Likeness that passes every short cut."""


@dataclass(frozen=True, kw_only=True)
class _Chooser:
    """An article that chooses its links from the whole archive."""

    text: Text
    profile: Profile
    posted: Collection[int]
    found: Sequence[ArticleId]
    """Those whom the archive offers."""


class Linking:
    """
    Works out the links of one step's articles, and of the older ones that they concern.

    Knows what is on disk and, above that, what the step has made and not yet written.
    """

    def __init__(self, connection: Connection, entries: Sequence[Entry], *, revised: Collection[ArticleId]) -> None:
        self._connection = connection
        self._entries = {entry.profile.id: entry for entry in entries}
        self._revised = revised
        self._profiles: dict[ArticleId, Profile | None] = {entry.profile.id: entry.profile for entry in entries}
        self._stored: Links = {each: () for each in self._entries if each not in revised}
        self._spellings: dict[ArticleId, Spelling] = {}

    def links(self, *, gone: Collection[ArticleId]) -> Links:
        """Return the links of every article that gets other links than it has, with `gone` out of the archive."""
        choosers = {chooser.profile.id: chooser for chooser in self._choosers(gone)}
        alike = self._alike(choosers.values())
        news = self._news(choosers, alike)
        banned = store.banned(self._connection, [*choosers, *news])
        found = self._chosen(choosers, alike, banned) | self._moved(news, banned)
        stored = self._links(found)
        return {each: links for each, links in found.items() if links != stored[each]}

    # --- who chooses anew

    def _choosers(self, gone: Collection[ArticleId]) -> Iterable[_Chooser]:
        for entry in self._entries.values():
            found = store.candidates(self._connection, entry.asked, at_most=rules.CANDIDATES)
            yield _Chooser(text=entry.text, profile=entry.profile, posted=entry.posted, found=found)
        affected = [each for each in {*self._bereft(gone), *self._namers()} if each not in self._entries]
        texts = store.texts(self._connection, affected)
        for profile in self._take(texts):
            posted = signatures.posted(profile.signature, language=profile.language)
            asked = index.asked(self._connection, profile)
            found = store.candidates(self._connection, asked, at_most=rules.CANDIDATES)
            yield _Chooser(text=texts[profile.id], profile=profile, posted=posted, found=found)

    def _bereft(self, gone: Collection[ArticleId]) -> list[ArticleId]:
        """Return who has fewer links than are shown when some articles are gone."""
        linkers = self._links(store.linkers(self._connection, gone))
        return [
            each for each, links in linkers.items() if sum(link.target_id not in gone for link in links) < rules.SHOWN
        ]

    def _namers(self) -> list[ArticleId]:
        """Return the older articles whose teasers name one of ours, and that are not yet linked for that."""
        ours = [(key, each) for each, entry in self._entries.items() for key in entry.text.names]
        naming = store.namers(self._connection, [key for key, _ in ours])
        links = self._links(namer for _, namer in naming)
        linked = {
            (namer, link.target_id)
            for namer, stored in links.items()
            for link in stored
            if link.origin is Origin.TEASER
        }
        return [namer for key, namer in naming if any(key == own and (namer, each) not in linked for own, each in ours)]

    # --- what they choose

    def _alike(self, choosers: Collection[_Chooser]) -> dict[ArticleId, list[Match]]:
        self._take({each for chooser in choosers for each in chooser.found})
        return {
            chooser.profile.id: rules.matches(chooser.profile, self._take({*chooser.found, *self._peers(chooser)}))
            for chooser in choosers
        }

    def _peers(self, chooser: _Chooser) -> list[ArticleId]:
        """Return the articles of this step that a look-up in the archive would offer, were they there already."""
        mine = frozenset(chooser.posted)
        return [each for each, entry in self._entries.items() if not mine.isdisjoint(entry.posted)]

    def _chosen(self, choosers: dict[ArticleId, _Chooser], alike: dict[ArticleId, list[Match]], banned: _Bans) -> Links:
        named = self._named([chooser.text for chooser in choosers.values()])
        found: Links = {}
        for each, chooser in choosers.items():
            chosen = rules.choose(chooser.profile, alike[each], named=named[each], banned=banned[each])
            found[each] = tuple(self._link(chooser.profile, target, chooser.text) for target in chosen)
        return found

    def _named(self, texts: Collection[Text]) -> dict[ArticleId, list[Profile]]:
        """Return for each text the articles that its teasers name; of several with one name the newest."""
        holders = self._holders({key for text in texts for teaser in text.teasers for key in teaser})
        self._take({each for found in holders.values() for each in found})
        named: dict[ArticleId, list[Profile]] = defaultdict(list)
        for text in texts:
            for teaser in text.teasers:
                meant = (self._take(holders[key] - {text.id}) for key in teaser)
                if hits := next(filter(None, meant), None):
                    named[text.id].append(max(hits, key=lambda hit: (hit.published_at, hit.id)))
        return named

    def _holders(self, keys: Collection[int]) -> dict[int, set[ArticleId]]:
        holders: dict[int, set[ArticleId]] = defaultdict(set)
        for key, each in store.named(self._connection, keys):
            if each not in self._entries:
                holders[key].add(each)
        for each, entry in self._entries.items():
            for key in entry.text.names:
                holders[key].add(each)
        return holders

    # --- whom they concern

    def _news(self, choosers: Collection[ArticleId], alike: dict[ArticleId, list[Match]]) -> dict[ArticleId, _News]:
        """Return for each older article those of ours that may be news to it, with their likeness."""
        news: dict[ArticleId, _News] = defaultdict(dict)
        for each in self._entries:
            for match in alike[each][: rules.RELINKED]:
                news[match.profile.id][each] = match.likeness
        for linker, links in self._links(store.linkers(self._connection, self._revised)).items():
            # A revised article may be about something else now: who links to it must look again.
            news[linker] |= {link.target_id: CERTAIN for link in links if link.target_id in self._revised}
        return {each: added for each, added in news.items() if each not in choosers}

    def _moved(self, news: dict[ArticleId, _News], banned: _Bans) -> Links:
        """Return the links of older articles among which one of ours finds a place, or loses it."""
        weakest = store.weakest(self._connection, news)
        moved = [each for each in self._take(news) if self._is_moved(each, news[each.id], weakest.get(each.id))]
        stored = self._links(each.id for each in moved)
        self._take({link.target_id for links in stored.values() for link in links})
        return {each.id: self._placed(each, stored[each.id], news[each.id], banned[each.id]) for each in moved}

    def _is_moved(self, older: Profile, news: _News, weakest: float | None) -> bool:
        matches = (Match(profile=each, likeness=news[each.id]) for each in self._take(news))
        return any(rules.may_enter(older, match, weakest=weakest) for match in matches)

    def _placed(
        self, profile: Profile, links: Sequence[Link], added: Collection[ArticleId], banned: Collection[ArticleId]
    ) -> tuple[Link, ...]:
        before = {link.target_id: link for link in links}
        named = self._take([link.target_id for link in links if link.origin is Origin.TEASER])
        alike = rules.matches(profile, self._take({*before, *added}))
        return tuple(
            self._link(profile, each, self._entries[each.profile.id].text)
            if each.profile.id in added
            else Link(
                target_id=each.profile.id,
                score=each.score,
                origin=each.origin,
                reason=before[each.profile.id].reason,
            )
            for each in rules.choose(profile, alike, named=named, banned=banned)
        )

    # --- both

    def _link(self, profile: Profile, chosen: Chosen, text: Text) -> Link:
        """Return the link to a chosen article, with the reason in the words of a text of the two."""
        if text.id not in self._spellings:
            self._spellings[text.id] = Spelling(text)
        terms = rules.shared(profile.signature, chosen.profile.signature, at_most=SHARED)
        return Link(
            target_id=chosen.profile.id,
            score=chosen.score,
            origin=chosen.origin,
            reason=self._spellings[text.id].reason(terms),
        )

    def _links(self, ids: Iterable[ArticleId]) -> Links:
        """Return the stored links of articles; each is read once."""
        wanted = list(ids)
        self._stored |= store.links(self._connection, [each for each in wanted if each not in self._stored])
        return {each: self._stored[each] for each in wanted}

    def _take(self, ids: Iterable[ArticleId]) -> list[Profile]:
        """Return the profiles of those among the articles that may be linked to; each is read once."""
        wanted = list(ids)
        missing = [each for each in wanted if each not in self._profiles]
        if missing:
            self._profiles |= dict.fromkeys(missing) | store.profiles(self._connection, missing)
        return [profile for each in wanted if (profile := self._profiles[each]) is not None]
