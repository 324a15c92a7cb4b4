"""Mails that come back: bounces as servers write them, and complaints as mailbox providers write them."""

from email.message import EmailMessage

FACTS = """From: MAILER-DAEMON@mx.mail.example
To: {return_path}
Subject: Undelivered Mail Returned to Sender
Date: Tue, 03 Mar 2026 10:00:00 +0900
Message-ID: <{name}@mx.mail.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="b"

This is a MIME-encapsulated message.

--b
Content-Type: text/plain; charset=us-ascii

I am sorry.

--b
{report}
--b
Content-Type: text/rfc822-headers

Return-Path: <{returned}>
Message-ID: <issue-1.1@publisher.example>
Subject: The Weekly

--b--
"""


def a_bounce(
    return_path: str,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    said: str = "smtp; 550 5.1.1 <reader1@readers.example>: no such user",
    name: str = "bounce-1",
) -> bytes:
    """A delivery status notification, in the form that Postfix writes."""
    report = f"""Content-Type: message/delivery-status

Reporting-MTA: dns; mx.mail.example
Arrival-Date: Tue, 03 Mar 2026 09:59:59 +0900

Final-Recipient: rfc822; reader1@readers.example
Original-Recipient: rfc822;reader1@readers.example
Action: {action}
Status: {status}
Diagnostic-Code: {said}
"""
    return _mail(return_path, return_path, "delivery-status", report, name)


def a_complaint(return_path: str, *, feedback: str = "abuse", name: str = "complaint-1") -> bytes:
    """A feedback report; it comes to another address, and the return path stands in what is reported."""
    report = f"""Content-Type: message/feedback-report

Feedback-Type: {feedback}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{return_path}>
Original-Rcpt-To: <reader1@readers.example>
"""
    return _mail("abuse@news.example", return_path, "feedback-report", report, name)


def an_absence(return_path: str) -> bytes:
    """What a person's mail program answers; it is no report."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "reader1@readers.example", return_path, "Out of office"
    mail["Message-ID"] = "<away@readers.example>"
    mail.set_content("I am on holiday. 550 5.1.1 is a number that I like.")
    return mail.as_bytes()


def _mail(to: str, returned: str, kind: str, report: str, name: str) -> bytes:
    text = FACTS.format(return_path=to, returned=returned, kind=kind, report=report, name=name)
    return text.replace("\n", "\r\n").encode()
