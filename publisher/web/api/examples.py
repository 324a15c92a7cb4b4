"""An example of every body that programs send, for the document and the reference; tests hand each of them in."""

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "ArticleForm": {
        "title": "Night Markets Return",
        "body": "People came from far away.\n\n## Why Now\n\nThey stayed all night.",
        "language": "en",
        "topics": ["Society"],
        "external_id": "cms-4711",
    },
    "LinksForm": {"pinned": [], "banned": []},
    "IssueForm": {"edition": "weekly", "subject": "This week in Seoul"},
    "DraftForm": {"article_ids": [1, 2], "subject": "This week in Seoul", "introduction": "Good morning."},
    "SubjectForm": {"number": 1},
    "TestForm": {"email": "anna@desk.example"},
    "ApproveForm": {"goes_at": None},
    "MoveForm": {"goes_at": "2030-12-02T09:00:00+09:00"},
    "SlotForm": {"slot_at": "2030-12-02T08:00:00+09:00", "do": "move", "to": "2030-12-03T08:00:00+09:00"},
    "RetryForm": {"state": "failed"},
    "EditionForm": {
        "slug": "weekly",
        "kind": "digest",
        "mailing_list": "readers",
        "cadence": "mon 08:00 Asia/Seoul",
        "at_least": 3,
    },
    "EditionChange": {"name": "The Weekly", "cadence": "mon 08:00 Asia/Seoul", "at_least": 3, "is_active": True},
    "TermForm": {
        "name": "Jeonse",
        "hangul": "전세",
        "explanation": "A deposit in the place of a rent.",
        "kind": "word",
    },
    "NameForm": {"name": "Theqoo"},
    "SourceForm": {"url": "https://news.example.org/feed.xml", "topics": ["Society"]},
    "SegmentForm": {
        "slug": "korea",
        "name": "Readers in Korea",
        "conditions": {"languages": ["en"], "countries": ["KR"], "joined_after": "2026-01-01"},
    },
    "SegmentChange": {"name": "Readers in Korea", "conditions": {"countries": ["KR"]}},
    "MailingListForm": {"slug": "readers", "name": "Our Readers"},
    "SubscriberForm": {"email": "ann@readers.example", "mailing_lists": ["readers"], "language": "en"},
    "EndForm": {"mailing_lists": ["readers"]},
    "SuppressionForm": {"email": "ben@readers.example", "detail": "Asked us by telephone."},
    "EndpointForm": {
        "url": "https://crm.example.org/hooks",
        "name": "CRM",
        "events": ["article.published", "issue.sent"],
        "with_addresses": False,
    },
}
