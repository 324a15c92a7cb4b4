"""The letter that invites somebody to the desk."""

from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from publisher.clock import Clock
from publisher.compose import plain
from publisher.dispatch.model import Sent
from publisher.dispatch.notice_letters import POLICY
from publisher.dispatch.transports.transport import Transport
from publisher.editors.model import Editor
from publisher.rendering import Templates
from publisher.settings import Settings


def send_invitation(
    transport: Transport, settings: Settings, editor: Editor, link: str, *, clock: Clock, language: str = ""
) -> bool:
    """
    Send an invitation in a language if mails leave this machine; return whether it was taken.

    Not into the outbox, which every editor reads: the link in it may be a chief's.
    """
    if settings.mail_url.startswith("outbox:"):
        return False
    now = clock()
    values = {"site_name": settings.site_name, "role": editor.role.value, "link": link}
    written = Templates(language, {"wrap": plain.wrap}).render("email/invitation.txt", **values)
    subject, _, text = written.partition("\n\n")
    mail = EmailMessage(policy=POLICY)
    mail["From"] = settings.mail_from
    mail["To"] = editor.email
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<invitation-{editor.id}.{now.timestamp():.6f}@{settings.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    outcome = transport.send_one(parseaddr(settings.mail_from)[1], editor.email, mail.as_bytes())
    return isinstance(outcome, Sent)
