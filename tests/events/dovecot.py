"""A Dovecot of our own: on free ports of this machine, with one maildir, gone afterwards."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_WITHIN_S = 15
SETTINGS = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 0
passdb {{
  driver = static
  args = password=p@ss:word
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
"""


class AbsentError(Exception):
    """No Dovecot whose settings we can write is installed."""


@dataclass(frozen=True, kw_only=True)
class Dovecot:
    """The server, and the maildir that it serves."""

    imap: str
    imaps: str
    mail: Path

    def deliver(self, *mails: bytes) -> None:
        """Put mails into the mailbox, as a server does that takes them."""
        for number, raw in enumerate(mails, start=len(list((self.mail / "new").iterdir())) + 1):
            draft = self.mail / "tmp" / f"{time.time_ns()}.{number}.test"
            draft.write_bytes(raw)
            shutil.copymode(self.mail, draft)
            _own(draft)
            draft.rename(self.mail / "new" / draft.name)

    def flags(self) -> list[str]:
        """The flags of every mail, in the letters of a maildir: S is seen."""
        found = [file.name.partition(":2,")[2] for part in ("new", "cur") for file in (self.mail / part).iterdir()]
        return sorted(found)


@contextmanager
def running_dovecot(certificate: Path) -> Iterator[Dovecot]:
    """Start a server. Raises AbsentError."""
    program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    if program is None or not _version(program).startswith("2.3."):
        message = "Dovecot 2.3 is not installed"
        raise AbsentError(message)
    folder = Path(tempfile.mkdtemp(prefix="publisher-imap-"))
    for part in ("run", "mail/new", "mail/cur", "mail/tmp"):
        (folder / part).mkdir(parents=True)
    for each in (folder, *folder.rglob("*")):
        _own(each)
    entry, (imap, imaps) = _account(), _free_ports()
    names = {"user": entry.pw_name, "group": _group(entry.pw_gid), "uid": entry.pw_uid, "gid": entry.pw_gid}
    text = SETTINGS.format(folder=folder, certificate=certificate, imap=imap, imaps=imaps, **names)
    (folder / "dovecot.conf").write_text(text)
    server = subprocess.Popen([program, "-F", "-c", str(folder / "dovecot.conf")])
    try:
        _wait_for(server, imap, folder / "log")
        secret = "reader:p%40ss%3Aword"
        yield Dovecot(
            imap=f"imap://{secret}@localhost:{imap}/INBOX",
            imaps=f"imaps://{secret}@localhost:{imaps}",
            mail=folder / "mail",
        )
    finally:
        server.terminate()
        server.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def _version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout


def _account() -> pwd.struct_passwd:
    """Dovecot serves no mail as root."""
    return pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def _group(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


def _own(path: Path) -> None:
    if os.getuid() == 0:
        os.chown(path, _account().pw_uid, _account().pw_gid)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _wait_for(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                message = f"Dovecot did not start:\n{log.read_text() if log.exists() else ''}"
                raise RuntimeError(message) from None
            time.sleep(0.05)
        else:
            return
