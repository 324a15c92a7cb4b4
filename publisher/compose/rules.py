import html
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from gettext import NullTranslations
from typing import TypeVar

from publisher import words
from publisher.archive.model import Article, ArticleId, ArticleState, Lead, Topic
from publisher.compose.model import Edition, EditionKind, RelatedLink, Window
from publisher.intake.model import Section
from publisher.markup import text_of

AnyLead = TypeVar("AnyLead", bound=Lead)

ENGLISH = NullTranslations()
SUBJECT_TITLE_AT_MOST = 78
"""A title with a count behind it is cut here; phones show about 40 characters of a subject, desktops about 70."""
PREHEADER_AT_MOST = 140
MINUTE_LINE_AT_MOST = 160
HAPPENED_AT_MOST = 320
NEXT_AT_MOST = 400
EXTRACTED_SENTENCES = 2
SENTENCE_AT_LEAST = 40
"""Shorter ones explain nothing without their neighbours."""

BACKGROUND = (
    re.compile(r"\bcontext\b|\bbackground\b|배경|맥락", re.IGNORECASE),
    re.compile(r"\bhistor(?:y|ical)\b|\bexplained\b|\bmatters\b|역사|의미|이해하기", re.IGNORECASE),
)
"""Headings of sections that explain; the surer sign first."""
AHEAD = re.compile(
    r"what[’']?s next|what (?:comes|happens) next|what to watch|looking ahead|next steps|\boutlook\b"
    "|전망|향후|앞으로|다음 단계|남은 과제",
    re.IGNORECASE,
)
EXPLAINING = tuple(
    re.compile(cue, re.IGNORECASE)
    for cue in (
        r"\bbecause\b|\bthat is why\b|때문|덕분",
        r"\bmeans?\b|\bmeaning\b|\bliterally\b|뜻|의미",
        r"\b(?:so-called|known as|called|refers to|is short for)\b|이라고 (?:불|부르)|이른바|라는",
        r"\bhistor(?:y|ic|ical)\b|\bsince (?:the )?\d{4}|\bdecades?\b|\bcentur(?:y|ies)\b|역사|년대|세기|이래",
        r"\btradition(?:al|ally)?\b|\bcustom\b|\busually\b|전통|관습|보통",
        r"\bunder (?:the|Korean) (?:law|constitution)\b|\bthe law\b|\bconstitution\b|법(?:은|에|률)|헌법",
        r"\bin (?:South )?Korea\b|\bKoreans\b|\bin Korean\b|한국(?:에서|은|인)|우리나라",
        r"\bunlike\b|\bcompared (?:with|to)\b|\bsimilar to\b|\brather than\b|달리|비해|비슷",
    )
)
"""Signs that a sentence explains rather than reports; a sentence is worth the number of signs it shows."""

TEMPLATE_OPENING = re.compile(r"\{(?=[{%#])")


class Origin(StrEnum):
    """Where an explanation for readers abroad comes from."""

    GUIDE = "guide"
    BACKGROUND = "background"
    EXTRACTED = "extracted"
    """Sentences of the article, picked by rule and shown as such."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a reader abroad should know about an article, in the article's own words."""

    html: str
    """Clean."""
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class MinuteLine:
    """An article in one line."""

    article: Lead
    text: str


# --- which articles


def choose(
    articles: Iterable[AnyLead],
    *,
    window: Window,
    at_most: int,
    topics: Sequence[str] = (),
    languages: Sequence[str] = (),
    preferred: Collection[ArticleId] = (),
) -> tuple[AnyLead, ...]:
    """
    Choose the articles for one issue, leads first.

    Equal importance is settled by the newer article, then by id: the same archive always gives the
    same issue.

    Args:
        articles: Those to choose from.
        window: When they must have been published.
        at_most: How many.
        topics: Only articles with one of them; empty: all.
        languages: Only articles in one of them; empty: all.
        preferred: They find room before all others; their place in the issue is the same.

    """
    eligible = (
        article
        for article in articles
        if article.published_at in window
        and article.state is ArticleState.PUBLISHED
        and _fits(article, topics=topics, languages=languages)
    )
    chosen = sorted(eligible, key=lambda article: (article.id not in preferred, _rank(article)))[:at_most]
    return tuple(sorted(chosen, key=_rank))


def is_news(article: Lead, edition: Edition, *, now: datetime) -> bool:
    """Tell whether an article makes an alert: visible, of the edition's kind, and not stale."""
    return (
        article.state is ArticleState.PUBLISHED
        and article.published_at <= now < article.published_at + edition.stale_after
        and _fits(article, topics=edition.topics, languages=edition.languages)
    )


def window_for_slot(previous_slot_at: datetime, slot_at: datetime) -> Window:
    """Return what an issue covers: from the slot before it up to its own, so windows meet and never overlap."""
    return Window(start=previous_slot_at, end=slot_at)


def group_by_topic(articles: Iterable[AnyLead]) -> list[tuple[Topic | None, tuple[AnyLead, ...]]]:
    """Group articles by their main topic, groups and articles in the order given; those without a topic last."""
    groups: dict[str, tuple[Topic | None, list[AnyLead]]] = {}
    for article in articles:
        topic = article.topics[0] if article.topics else None
        groups.setdefault(topic.slug if topic else "", (topic, []))[1].append(article)
    return [(topic, tuple(each)) for topic, each in sorted(groups.values(), key=lambda group: group[0] is None)]


def read_on(links: Iterable[RelatedLink], *, shown: Iterable[Lead], at_most: int = 3) -> tuple[RelatedLink, ...]:
    """Return the related links, each article once, that lead out of the issue."""
    seen = {lead.id for lead in shown}
    kept: list[RelatedLink] = []
    for link in links:
        if link.lead.id not in seen and len(kept) < at_most:
            kept.append(link)
            seen.add(link.lead.id)
    return tuple(kept)


def _fits(article: Lead, *, topics: Sequence[str], languages: Sequence[str]) -> bool:
    """Tell whether an article has one of the topics and languages; no topics or languages named means any."""
    speaks = not languages or article.language in languages or article.language.partition("-")[0] in languages
    return speaks and (not topics or any(topic.slug in topics for topic in article.topics))


def _rank(article: Lead) -> tuple[int, float, int]:
    return article.importance, -article.published_at.timestamp(), article.id


# --- what stands in the inbox


def make_subject(kind: EditionKind, articles: Sequence[Lead], language: NullTranslations = ENGLISH) -> str:
    """
    Return a subject made from the articles, never mistaken for an editor's template.

    Args:
        kind: An alert says its article's title; the others the lead's title and how many there are.
        articles: Leads first; at least one.
        language: The edition's words (`publisher.rendering.translations`).

    """
    title, count = articles[0].title, len(articles)
    if kind is EditionKind.ALERT or count == 1:
        return _literal(title)
    title = shorten(title, SUBJECT_TITLE_AT_MOST)
    if kind is EditionKind.DIGEST:
        form = language.ngettext("%(title)s · %(count)d article", "%(title)s · %(count)d articles", count)
        return _literal(form % {"title": title, "count": count})
    form = language.ngettext("%(title)s, and %(count)d more", "%(title)s, and %(count)d more", count - 1)
    return _literal(form % {"title": title, "count": count - 1})


def make_preheader(kind: EditionKind, articles: Sequence[Article], language: NullTranslations = ENGLISH) -> str:
    """Return the line that an inbox shows behind the subject: what the subject has not said yet."""
    if kind is EditionKind.ALERT or len(articles) == 1:
        return shorten(what_happened(articles[0]), PREHEADER_AT_MOST)
    titles = " · ".join(article.title for article in articles[1:])
    if kind is EditionKind.GUIDE:
        titles = language.gettext("This week in one minute: %(titles)s") % {"titles": titles}
    return shorten(titles, PREHEADER_AT_MOST)


def _literal(text: str) -> str:
    """Return a text in which no bracket opens a template: a word joiner, invisible, keeps them apart."""
    return TEMPLATE_OPENING.sub("{\u2060", text)


# --- what an article says


def one_minute(articles: Iterable[Article]) -> tuple[MinuteLine, ...]:
    """Return one line for each article: the first sentence of what happened."""
    return tuple(
        MinuteLine(article=article, text=_some_sentences(what_happened(article), MINUTE_LINE_AT_MOST, at_most=1))
        for article in articles
    )


def what_happened(article: Article) -> str:
    """Return the summary, or the first one or two sentences of the opening; plain text."""
    if article.summary:
        return article.summary
    opening = next((text for section in article.all_sections if (text := text_of(section.html))), "")
    return _some_sentences(opening, HAPPENED_AT_MOST, at_most=2)


def what_to_know(article: Article) -> Explanation | None:
    """
    Return what explains an article to readers abroad; nothing is ever invented.

    The guide section if there is one, else a section about background or context, else the sentences
    that explain most, marked as extracted, else None.
    """
    if article.guide and text_of(article.guide.html):
        return Explanation(html=article.guide.html, origin=Origin.GUIDE)
    background = next((found for sign in BACKGROUND if (found := _headed(article.sections, sign))), None)
    if background:
        return Explanation(html=background.html, origin=Origin.BACKGROUND)
    explaining = _explaining_sentences(article)
    if explaining:
        return Explanation(html=f"<p>{html.escape(' '.join(explaining))}</p>", origin=Origin.EXTRACTED)
    return None


def whats_next(article: Article) -> str:
    """Return the opening of the section that looks ahead; empty where the article has none."""
    ahead = _headed(article.sections, AHEAD)
    return _some_sentences(text_of(ahead.html), NEXT_AT_MOST, at_most=3) if ahead else ""


def _headed(sections: Iterable[Section], heading: re.Pattern[str]) -> Section | None:
    return next((each for each in sections if heading.search(each.heading) and text_of(each.html)), None)


def _explaining_sentences(article: Article) -> list[str]:
    lines = [line for section in article.sections for line in text_of(section.html).splitlines()]
    told = what_happened(article)
    candidates = [
        sentence
        for line in lines
        for sentence in words.sentences(line)
        if len(sentence) >= SENTENCE_AT_LEAST and sentence not in told
    ]
    worth = {place: sum(bool(cue.search(sentence)) for cue in EXPLAINING) for place, sentence in enumerate(candidates)}
    best = sorted((place for place in worth if worth[place]), key=lambda place: (-worth[place], place))
    return [candidates[place] for place in sorted(best[:EXTRACTED_SENTENCES])]


def _some_sentences(text: str, at_most_chars: int, *, at_most: int) -> str:
    """Return as many whole sentences of the first line as fit and are wanted, at least a part of the first one."""
    chosen = words.sentences(text.partition("\n")[0])[:at_most]
    return words.first_sentences(" ".join(chosen), at_most_chars)


def shorten(text: str, at_most: int) -> str:
    """Return the text, or as many of its words as fit with an ellipsis; one long word is cut."""
    text = " ".join(text.split())
    if len(text) <= at_most:
        return text
    whole, _, _ = text[:at_most].rpartition(" ")
    return (whole if len(whole) > at_most // 2 else text[: at_most - 1]).rstrip(" ,;:·–—-") + "…"
