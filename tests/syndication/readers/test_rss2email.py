from datetime import timedelta
from email.header import decode_header, make_header
from html import unescape
from pathlib import Path

import pytest

from tests.syndication.readers.corpus import HARD, edited
from tests.syndication.readers.press import Press
from tests.syndication.readers.programs import Rss2Email


@pytest.mark.parametrize("feed_format", ["atom", "rss"])
def test_rss2email_sends_every_article_once(press: Press, tmp_path: Path, feed_format: str) -> None:
    path = f"/feeds/all.{feed_format}"
    titles = {article.uri: article.title for article in press.articles()}
    program = Rss2Email(tmp_path, f"{press.url}{path}")

    program.poll()
    mails = program.mails()
    program.poll()
    press.house.clock.pass_by(timedelta(hours=1))
    press.house.publish(edited(0, title="The bridge is closed 🌉"))
    program.poll()

    assert len(mails) == len(HARD)
    assert {mail["X-RSS-ID"] for mail in mails} == set(titles)
    for mail in mails:
        subject = str(make_header(decode_header(mail["Subject"])))
        title = titles[mail["X-RSS-ID"]]
        if feed_format == "rss":  # RSS does not say whether a title is markup; rss2email makes ** of a <b>
            subject, title = subject.replace("**", ""), unescape(title.replace("<b>", ""))
        assert "".join(subject.split()) == "".join(title.split())
    assert press.statuses(path) == [200, 304, 200]
    assert len(program.mails()) == len(HARD)
