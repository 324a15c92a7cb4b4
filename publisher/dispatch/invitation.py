"""The letter that invites somebody to the desk."""

from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from publisher.clock import Clock
from publisher.dispatch.model import Sent
from publisher.dispatch.notice_letters import POLICY
from publisher.dispatch.transports.transport import Transport
from publisher.editors.model import Editor
from publisher.settings import Settings

TEXT = """You are invited to the desk of {site}, as {role}.

This link signs you in once, within a week:

{link}

If you do not know why you got this, do nothing.
"""


def send_invitation(transport: Transport, settings: Settings, editor: Editor, link: str, *, clock: Clock) -> bool:
    """
    Send an invitation if mails leave this machine; return whether it was taken.

    Not into the outbox, which every editor reads: the link in it may be a chief's.
    """
    if settings.mail_url.startswith("outbox:"):
        return False
    now = clock()
    mail = EmailMessage(policy=POLICY)
    mail["From"] = settings.mail_from
    mail["To"] = editor.email
    mail["Subject"] = f"Your place at the desk of {settings.site_name}"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<invitation-{editor.id}.{now.timestamp():.6f}@{settings.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(TEXT.format(site=settings.site_name, role=editor.role, link=link))
    outcome = transport.send_one(parseaddr(settings.mail_from)[1], editor.email, mail.as_bytes())
    return isinstance(outcome, Sent)
