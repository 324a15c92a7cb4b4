"""What letters to one reader say."""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from html import escape

from publisher.audience.model import LetterDue
from publisher.audience.tokens import Purpose, Signer
from publisher.compose.model import Edition, Furniture
from publisher.compose.render import render_confirmation, render_welcome
from publisher.compose.slots import Slot, filled
from publisher.rendering import furniture_language, translations
from publisher.settings import Settings

ACCENT = "#b5332e"
POLICY = SMTP.clone(cte_type="7bit")
"""Lines of 78 characters; such a letter has none of the long List-* fields that this policy would encode."""


def confirmation(due: LetterDue, signer: Signer, settings: Settings, *, message_id: str, now: datetime) -> bytes:
    """Return the letter that asks a reader for the yes."""
    subject, text, html = render_confirmation(
        furniture=_furniture(settings, due),
        mailing_list=_lists(due),
        confirm_url=f"{settings.base_url}/confirm/{signer.sign(Purpose.CONFIRM, due.subscription_id)}",
        name=due.subscriber.name,
    )
    return _mail(due, signer, settings, (subject, text, html), message_id=message_id, now=now)


def welcome(
    due: LetterDue, editions: Sequence[Edition], signer: Signer, settings: Settings, *, message_id: str, now: datetime
) -> bytes:
    """Return the letter that follows the yes: what comes, when, and how to leave."""
    subject, text, html = render_welcome(
        furniture=_furniture(settings, due),
        mailing_list=_lists(due),
        editions=editions,
        archive_url=f"{settings.base_url}/issues",
    )
    return _mail(due, signer, settings, (subject, text, html), message_id=message_id, now=now)


def _mail(
    due: LetterDue,
    signer: Signer,
    settings: Settings,
    told: tuple[str, str, str],
    *,
    message_id: str,
    now: datetime,
) -> bytes:
    subject, text, html = told
    subscriber = due.subscriber

    def secret(purpose: Purpose) -> str:
        return signer.sign(purpose, due.subscription_id)

    values = {
        Slot.NAME: subscriber.name or translations(furniture_language(subscriber.language)).gettext("reader"),
        Slot.ADDRESS: subscriber.email,
        Slot.UNSUBSCRIBE_URL: f"{settings.base_url}/unsubscribe/{secret(Purpose.UNSUBSCRIBE)}",
        Slot.PREFERENCES_URL: f"{settings.base_url}/preferences/{secret(Purpose.PREFERENCES)}",
    }
    mail = EmailMessage(policy=POLICY)
    mail["From"] = settings.mail_from
    mail["To"] = formataddr((subscriber.name, subscriber.email)) if subscriber.name.isascii() else subscriber.email
    mail["Subject"] = subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message_id}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(filled(text, values))
    mail.add_alternative(filled(html, {slot: escape(value) for slot, value in values.items()}), subtype="html")
    return mail.as_bytes()


def _lists(due: LetterDue) -> str:
    return ", ".join(name for _, name in due.mailing_lists)


def _furniture(settings: Settings, due: LetterDue) -> Furniture:
    return Furniture(
        site_name=settings.site_name,
        base_url=settings.base_url,
        postal_address=settings.postal_address,
        language=furniture_language(due.subscriber.language),
        accent=ACCENT,
    )
