import json
from datetime import timedelta

from publisher.archive import flow as archive
from publisher.archive import store
from publisher.archive.model import Article, ArticleId, ArticleState
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.model import Image, Section, Teaser
from publisher.related.flow import arrange, relate_due
from publisher.web.public.articles import reading_minutes
from publisher.wiring import Newsroom
from tests.builders import DOMAIN, TUESDAY, a_draft, handed_in
from tests.web.browser import TestClient
from tests.web.pages import XHTML, an_archive, elements, words


def revise(room: Newsroom, article_id: ArticleId, **values: object) -> None:
    """Correct an article, as an editor would."""
    identity = archive.identity_of(room.database, article_id)
    ids = hand_in(room.database, [HandIn(draft=a_draft(**values))], origin="desk", clock=room.now, same_as=identity)
    archive.accept_these(room.database, ids, domain=DOMAIN, clock=room.now)


def the_article(room: Newsroom, slug: str = "how-jeonse-works") -> Article:
    with room.database.reading() as connection:
        found = store.by_slug(connection, slug)
    assert found
    return found


def test_an_article_has_all_its_parts_on_its_page(web: TestClient, room: Newsroom) -> None:
    image = Image(url="https://pictures.example/house.jpg", alt="A house", credit="Han", width=1200, height=675)
    handed_in(room.database, [a_draft(image=image)], clock=room.now)

    page = web.get("/articles/how-jeonse-works")

    assert page.status_code == 200
    html = page.text
    assert [words(each) for each in elements(html, "h1")] == ["How Jeonse Works"]
    assert {"Why It Lasts", "Foreign Fans’ Guide"} <= {words(each) for each in elements(html, "h2")}
    assert "Ask who pays the maintenance fee." in words(elements(html, "aside")[0])
    (picture,) = elements(html, "img")
    assert (picture.get("alt"), picture.get("width"), picture.get("height")) == ("A house", "1200", "675")
    assert elements(html, "a", href="/authors/kim-minji")
    assert elements(html, "time", datetime=f"{the_article(room).published_at:%Y-%m-%dT%H:%M:%SZ}")
    assert elements(html, "form", action="/subscribe", method="post")


def test_an_article_tells_search_engines_and_social_networks_what_it_is(web: TestClient, room: Newsroom) -> None:
    handed_in(room.database, [a_draft(image=Image(url="https://pictures.example/house.jpg"))], clock=room.now)

    html = web.get("/articles/how-jeonse-works").text

    address = "http://127.0.0.1:8000/articles/how-jeonse-works"
    assert elements(html, "link", rel="canonical")[0].get("href") == address
    assert elements(html, "meta", property="og:url")[0].get("content") == address
    assert elements(html, "meta", property="og:image")[0].get("content") == "https://pictures.example/house.jpg"
    assert elements(html, "meta", name="twitter:card")[0].get("content") == "summary_large_image"
    about = json.loads(elements(html, "script", type="application/ld+json")[0].text or "")
    assert about["@type"] == "NewsArticle"
    assert about["headline"] == "How Jeonse Works"
    assert about["author"][0]["name"] == "Kim Minji"


def test_an_article_first_published_elsewhere_says_so(web: TestClient, room: Newsroom) -> None:
    """Otherwise search engines take us for a thief of the newsroom's own article."""
    handed_in(room.database, [a_draft(canonical_url="https://newsroom.example/jeonse")], clock=room.now)

    html = web.get("/articles/how-jeonse-works").text

    assert elements(html, "link", rel="canonical")[0].get("href") == "https://newsroom.example/jeonse"


def test_three_related_articles_are_offered(web: TestClient, room: Newsroom) -> None:
    an_archive(room)

    html = web.get("/articles/all-about-jeonse-deposits-0").text

    (discover,) = elements(html, "section", aria_labelledby="discover")
    offered = [each.get("href") for each in discover.iter() if "/articles/" in (each.get("href") or "")]
    assert len(offered) == 3
    assert "/articles/all-about-jeonse-deposits-0" not in offered


def test_a_teaser_of_an_article_that_we_do_not_have_is_told_all_the_same(web: TestClient, room: Newsroom) -> None:
    """The newsroom wrote it for its readers; until we have the article, its two lines are what there is."""
    ours, foreign = Teaser(title="All About X"), Teaser(title="Ties With Russia", summary="A year later.")
    handed_in(room.database, [a_draft(title="all about x", external_id="x")], clock=room.now)
    (taken,) = handed_in(room.database, [a_draft(teasers=(ours, foreign), external_id="y")], clock=room.now)
    relate_due(room.database, room.now)

    html = web.get(f"/articles/{taken.slug}").text

    (discover,) = elements(html, "section", aria_labelledby="discover")
    titles = [words(each) for each in discover.iter(f"{XHTML}h3")]
    assert titles == ["all about x", "Ties With Russia"]
    assert elements(html, "a", href="/articles/all-about-x")
    assert "A year later." in words(discover)


def test_the_pages_own_feed_is_the_first_to_be_discovered(web: TestClient, room: Newsroom) -> None:
    """Feed readers take the first one they find."""
    handed_in(room.database, [a_draft(topics=("food", "seoul"))], clock=room.now)

    found = [each.get("href") for each in elements(web.get("/articles/how-jeonse-works").text, "link", rel="alternate")]

    base = "http://127.0.0.1:8000/feeds"
    topic = [f"{base}/topics/food.{suffix}" for suffix in ("atom", "rss", "json")]
    assert found == [*topic, *(f"{base}/all.{suffix}" for suffix in ("atom", "rss", "json"))]


def test_a_reader_who_has_the_page_is_not_sent_it_again(web: TestClient, room: Newsroom) -> None:
    an_archive(room)
    first = web.get("/articles/all-about-jeonse-deposits-0")

    again = web.get("/articles/all-about-jeonse-deposits-0", headers={"If-None-Match": first.headers["ETag"]})
    other = web.get("/articles/all-about-jeonse-deposits-0", headers={"If-None-Match": '"other", W/"more"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert other.status_code == 200


def test_a_correction_is_on_the_page_at_once(web: TestClient, room: Newsroom) -> None:
    (taken,) = handed_in(room.database, [a_draft()], clock=room.now)
    first = web.get("/articles/how-jeonse-works")

    revise(room, taken.article_id, title="How Jeonse Really Works")
    second = web.get("/articles/how-jeonse-works", headers={"If-None-Match": first.headers["ETag"]})

    assert second.status_code == 200
    assert words(elements(second.text, "h1")[0]) == "How Jeonse Really Works"


def test_another_related_link_makes_a_new_page(web: TestClient, room: Newsroom) -> None:
    """The text is the same, but what stands below it is not: an old copy must not be kept."""
    ids = an_archive(room, 6)
    first = web.get("/articles/all-about-jeonse-deposits-0")

    arrange(room.database, ids[0], pinned=(), banned=[ids[1]], clock=room.now)
    second = web.get("/articles/all-about-jeonse-deposits-0", headers={"If-None-Match": first.headers["ETag"]})

    assert second.status_code == 200


def test_a_former_address_leads_to_the_present_one(web: TestClient, room: Newsroom) -> None:
    (taken,) = handed_in(room.database, [a_draft()], clock=room.now)
    revise(room, taken.article_id, slug="jeonse-explained")

    moved = web.get("/articles/how-jeonse-works")

    assert (moved.status_code, moved.headers["Location"]) == (301, "/articles/jeonse-explained")
    assert web.get("/articles/jeonse-explained").status_code == 200


def test_a_withdrawn_article_is_gone_and_links_to_it_too(web: TestClient, room: Newsroom) -> None:
    an_archive(room)
    withdrawn = the_article(room, "all-about-kimchi-refrigerators-1")

    archive.withdraw(room.database, withdrawn.id, clock=room.now)
    relate_due(room.database, room.now)

    gone = web.get(f"/articles/{withdrawn.slug}")
    assert gone.status_code == 410
    assert "withdrawn" in words(elements(gone.text, "h1")[0])
    assert "no-store" in gone.headers["Cache-Control"]
    for page in ("/", "/topics/society", "/search?q=kimchi", "/articles/all-about-jeonse-deposits-0"):
        assert withdrawn.slug not in web.get(page).text


def test_an_article_under_embargo_is_nowhere(web: TestClient, room: Newsroom) -> None:
    early = a_draft(title="Secret Budget", publish_at=room.now() + timedelta(hours=1), topics=("budget",))
    handed_in(room.database, [early, a_draft()], clock=room.now)

    assert web.get("/articles/secret-budget").status_code == 404
    for page in ("/", "/topics", "/search?q=budget", "/languages/en", "/feeds", "/authors/kim-minji"):
        assert "Secret" not in web.get(page).text
    assert "Budget" not in web.get("/topics").text


def test_a_korean_article_says_that_it_is_korean(web: TestClient, room: Newsroom) -> None:
    """A screen reader would otherwise spell it out in English."""
    text = Section(heading="새벽의 지하철", html="<p>십일월의 일요일, 지하철 안이 붐빈다.</p>")
    handed_in(
        room.database,
        [a_draft(title="가을에는 달린다", slug="autumn", language="ko", sections=(text,))],
        clock=room.now,
    )

    html = web.get("/articles/autumn").text

    assert elements(html, "html")[0].get("lang") == "en"
    assert elements(html, "h1")[0].get("lang") == "ko"
    assert elements(html, "meta", property="og:locale")[0].get("content") == "ko"
    assert "한국어" in words(elements(html, "a", href="/languages/ko")[0])


def test_reading_time_counts_words_and_hangul() -> None:
    words_only = Section(heading="", html=f"<p>{'word ' * 460}</p>")
    hangul_only = Section(heading="", html=f"<p>{'가나다라마 ' * 300}</p>")

    assert reading_minutes(_article(words_only)) == 2
    assert reading_minutes(_article(hangul_only)) == 3
    assert reading_minutes(_article(Section(heading="", html="<p>Short.</p>"))) == 1


def test_a_summary_made_from_the_opening_is_not_shown_twice(web: TestClient, room: Newsroom) -> None:
    handed_in(room.database, [a_draft(summary="")], clock=room.now)

    html = web.get("/articles/how-jeonse-works").text

    assert not elements(html, "p", class_="standfirst")
    assert elements(html, "meta", name="description")[0].get("content", "").startswith("A tenant hands over")


def _article(section: Section) -> Article:
    return Article(
        id=ArticleId(1),
        uri="tag:news.example,2026-06-02:article/1",
        slug="one",
        state=ArticleState.PUBLISHED,
        title="One",
        summary="",
        language="en",
        authors=(),
        topics=(),
        image=None,
        importance=3,
        canonical_url="",
        published_at=TUESDAY,
        updated_at=TUESDAY,
        revision=1,
        sections=(section,),
        guide=None,
        teasers=(),
    )
