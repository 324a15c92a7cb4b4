"""Articles, pieces and issues for the tests of compose, and the furniture around them."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from publisher.archive.model import Article, ArticleId, ArticleState, Author, GlossaryTerm, Lead, Topic
from publisher.audience.model import MailingListId
from publisher.compose.glossary import Matcher
from publisher.compose.model import (
    Cadence,
    Edition,
    EditionId,
    EditionKind,
    Furniture,
    Issue,
    IssueId,
    IssueState,
    Piece,
    RelatedLink,
    Rendering,
)
from publisher.compose.render import render_issue
from publisher.intake.model import Image, Section
from publisher.markup import text_of

BASE_URL = "https://news.example"
TUESDAY = datetime(2026, 11, 3, 23, 0, tzinfo=UTC)
POLITICS = Topic(slug="politics", name="Politics")
CITY = Topic(slug="city", name="City")

TERMS = (
    GlossaryTerm(
        slug="jeonse",
        name="jeonse",
        hangul="전세",
        romanisation="jeonse",
        explanation="A lease without monthly rent: a large deposit, handed back at the end.",
        link="https://news.example/glossary#jeonse",
        case_sensitive=False,
    ),
    GlossaryTerm(
        slug="han-river",
        name="Han River",
        hangul="한강",
        romanisation="Hangang",
        explanation="The wide river through Seoul, with parks on both banks.",
        aliases=("the Han",),
    ),
    GlossaryTerm(slug="dong", name="dong", hangul="동", explanation="The smallest district of a city."),
)


def an_article(number: int = 1, **values: Any) -> Article:
    """A short published article of a city newsroom, unless said otherwise."""
    usual: dict[str, Any] = {
        "id": ArticleId(number),
        "uri": f"tag:news.example,2026:{number}",
        "slug": f"article-{number}",
        "state": ArticleState.PUBLISHED,
        "title": f"Article {number}",
        "summary": f"What article {number} says, in one sentence.",
        "language": "en",
        "authors": (Author(slug="ara-moon", name="Ara Moon"),),
        "topics": (CITY,),
        "image": None,
        "importance": 3,
        "canonical_url": "",
        "published_at": TUESDAY,
        "updated_at": TUESDAY,
        "revision": 1,
        "sections": (Section(heading="", html="<p>The city council met on Tuesday. It met again on Friday.</p>"),),
        "guide": None,
        "teasers": (),
    }
    return Article(**(usual | values))


def a_piece(
    article: Article, *, related: tuple[Lead, ...] = (), terms: tuple[GlossaryTerm, ...] | None = None
) -> Piece:
    """The article as an issue shows it; terms are found in its text unless they are given."""
    if terms is None:
        text = "\n".join(f"{section.heading}\n{text_of(section.html)}" for section in article.all_sections)
        terms = tuple(found.term for found in Matcher(TERMS).find(f"{article.title}\n{article.summary}\n{text}"))
    return Piece(
        article=article,
        url=f"{BASE_URL}/articles/{article.slug}",
        related=tuple(RelatedLink(lead=lead, reason="Both name Seoul.") for lead in related),
        terms=terms,
    )


def an_edition(kind: EditionKind = EditionKind.DIGEST, **values: Any) -> Edition:
    usual: dict[str, Any] = {
        "id": EditionId(1),
        "slug": kind.value,
        "name": {"alert": "Morning alert", "digest": "Monday digest", "guide": "Foreign fans’ guide"}[kind.value],
        "kind": kind,
        "mailing_list_id": MailingListId(1),
        "cadence": Cadence(weekdays=frozenset({1}), at=time(8), time_zone="Asia/Seoul"),
        "stale_after": timedelta(hours=12),
    }
    return Edition(**(usual | values))


def an_issue(**values: Any) -> Issue:
    usual: dict[str, Any] = {
        "id": IssueId(1),
        "edition_id": EditionId(1),
        "number": 12,
        "state": IssueState.DRAFT,
        "window": None,
        "slot_at": TUESDAY,
        "subject": "",
        "preheader": "",
        "introduction": "",
        "article_ids": (),
        "created_at": TUESDAY,
    }
    return Issue(**(usual | values))


def furniture(language: str = "en", **values: Any) -> Furniture:
    usual: dict[str, Any] = {
        "site_name": "The Han River Letter",
        "base_url": BASE_URL,
        "postal_address": "12 Sejong-daero, Jongno-gu, Seoul",
        "language": language,
        "accent": "#b5332e",
    }
    return Furniture(**(usual | values))


def rendered(kind: EditionKind, *pieces: Piece, language: str = "en", **issue: Any) -> Rendering:
    """Render an issue of an edition of this kind."""
    return render_issue(edition=an_edition(kind), issue=an_issue(**issue), pieces=pieces, furniture=furniture(language))


# --- articles with everything that an article may have

INTRODUCTION = """\
Good morning, {{ name }}. The ginkgo leaves are down, and {{ article_count }} articles are up.

- one about **rent**
- one about [the river](https://news.example/topics/river?from=letter&week=45)

> Write back; we read *everything*.
"""

RENT = an_article(
    1,
    slug="how-jeonse-works",
    title="A Home for a Loan: How Jeonse “Works” & Why It Lasts",
    summary="Hand over a large deposit, live for two years, get it all back: the logic of Korea’s oddest lease.",
    importance=1,
    authors=(Author(slug="ara-moon", name="Ara Moon"), Author(slug="ben-okoro", name="Ben Okoro")),
    topics=(CITY, POLITICS),
    image=Image(
        url="/media/key.jpg",
        alt="A key on a table beside a contract",
        credit="Drawing: Ara Moon",
        width=1200,
        height=675,
    ),
    sections=(
        Section(
            heading="",
            html="<p>A tenant in a Seoul <em>dong</em> hands over a deposit (전세, <em>jeonse</em>) and pays no rent. "
            'The <a href="https://news.example/articles/deposit?a=1&amp;b=2">deposit</a> comes back at the end.</p>'
            "<blockquote><p>My landlord is my bank, and I am his.</p></blockquote>",
        ),
        Section(
            heading="Who Pays What",
            html="<h3>In numbers</h3><table><caption>Two homes by the Han River</caption>"
            "<thead><tr><th>Home</th><th>Deposit</th></tr></thead>"
            "<tbody><tr><td>One room</td><td>90 million won</td></tr>"
            "<tr><td>한강 옆 아파트</td><td>800 million won</td></tr></tbody></table>"
            '<figure><img src="https://news.example/media/contract.jpg" alt="A page of small print" width="1600" '
            'height="900"><figcaption>The second page is the one to read.</figcaption></figure>',
        ),
        Section(
            heading="Cultural and Historical Context",
            html="<p>Banks lent to factories, not to families, so families lent to one another. "
            "That is why the lease outlived the years of high interest.</p>",
        ),
        Section(
            heading="What’s Next?",
            html="<p>The limits on loans will come down in spring. Owners ask for monthly rent instead. "
            "Tenants ask for insurance. Nobody expects the lease to vanish.</p>",
        ),
    ),
    guide=Section(
        heading="A Foreign Fan’s Guide: What You Should Know",
        html="<p>If you rent in Korea yourself, a few habits protect you:</p>"
        "<ol><li>Read the register of the building.</li><li>Report your address at the <em>dong</em> office.</li></ol>",
    ),
)
RIVER = an_article(
    2,
    slug="swimming-the-han",
    title="Swimming the Han",
    summary="Once a year the city gives its river back to those who can cross it.",
    published_at=TUESDAY - timedelta(days=1),
    image=Image(url="https://news.example/media/river.jpg", alt="Swimmers under a bridge"),
    sections=(
        Section(
            heading="",
            html="<p>Two thousand people stood on the bank of the Han River at six in the morning. "
            "Swimming here is called a right of the city because the river was closed for decades.</p>"
            "<p>They came out on the other side.</p>",
        ),
    ),
)
VOTE = an_article(
    3,
    slug="a-small-vote",
    title="A Small Vote",
    summary="",
    topics=(POLITICS,),
    published_at=TUESDAY - timedelta(days=2),
    sections=(
        Section(heading="", html="<p>One district voted on Tuesday. Turnout was low. The mayor was pleased.</p>"),
        Section(heading="Background", html="<p>By-elections fall on the first Wednesday of April and October.</p>"),
    ),
)
KOREAN = an_article(
    4,
    slug="hangang-swim",
    language="ko",
    title="한강을 건너는 사람들: 하루 동안 강이 시민에게 돌아온다",
    summary="일 년에 하루, 서울은 헤엄칠 줄 아는 사람에게 강을 내준다.",
    authors=(Author(slug="mun-ara", name="문아라"),),
    topics=(Topic(slug="city", name="도시"),),
    image=Image(url="https://news.example/media/river.jpg", alt="다리 아래에서 헤엄치는 사람들"),
    sections=(
        Section(
            heading="새벽 여섯 시, 잠실",
            html="<p>새벽 여섯 시, 이천 명이 한강 둔치에 섰다. 수온은 19도. “작년보다 따뜻하네요.” 누군가 말했다.</p>"
            "<ul><li>참가비는 없다.</li><li>KTX로 온 사람도 있다.</li></ul>",
        ),
        Section(heading="앞으로의 전망", html="<p>시는 내년에 구간을 늘리겠다고 밝혔다. 예산은 아직 없다.</p>"),
    ),
    guide=Section(heading="해외 독자를 위한 안내", html="<p>수영모를 꼭 챙기세요. 외국인도 신청할 수 있습니다.</p>"),
)
OUTSIDE = an_article(9, slug="ferries", title="Where the Ferries Went", summary="The last ferry left in 1986.")

RENT_PIECE = a_piece(RENT, related=(RIVER, VOTE, OUTSIDE))
RIVER_PIECE = a_piece(RIVER, related=(RENT, OUTSIDE))
VOTE_PIECE = a_piece(VOTE, related=(RENT, OUTSIDE))
KOREAN_PIECE = a_piece(KOREAN, related=(RIVER, RENT))
