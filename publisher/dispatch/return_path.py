"""
Return paths that name the delivery they belong to (VERP), so that a bounce tells whose it is.

    bounces+11-3e8-9f86d081884c7d65@news.example.org

The token is hexadecimal, for servers on the way may write a local part in small letters, and signed, for anybody
may send mail to it.
"""

import hmac
import re
import struct
from functools import lru_cache

from publisher.audience.tokens import Purpose, Signer
from publisher.compose.model import IssueId

MAC_BYTES = 8
"""64 bits: who guesses one of them has made one reader's mail look returned."""

_KEY = struct.Struct(">QQ")
_TOKEN = re.compile(r"\+([0-9a-f]{1,16})-([0-9a-f]{1,16})-([0-9a-f]{16})@", re.IGNORECASE)


class ReturnPaths:
    """Makes and reads the return paths of one newsroom."""

    def __init__(self, signer: Signer, bounce_address: str) -> None:
        local, _, domain = bounce_address.rpartition("@")
        self._before, self._after = f"{local}+", f"@{domain}"
        self._signer = signer

    def of(self, issue_id: IssueId, seq: int) -> str:
        mac = self._signer.mac(Purpose.BOUNCE, _KEY.pack(issue_id, seq))[:MAC_BYTES].hex()
        return f"{self._before}{issue_id:x}-{seq:x}-{mac}{self._after}"

    def find(self, text: str) -> tuple[IssueId, int] | None:
        """Return the delivery that the first return path of ours in a text belongs to."""
        for issue, seq, mac in _TOKEN.findall(text):
            packed = _KEY.pack(int(issue, 16), int(seq, 16))
            if hmac.compare_digest(self._signer.mac(Purpose.BOUNCE, packed)[:MAC_BYTES].hex(), mac.lower()):
                return IssueId(int(issue, 16)), int(seq, 16)
        return None


@lru_cache(maxsize=8)
def return_paths(signer: Signer, bounce_address: str) -> ReturnPaths | None:
    """Return the newsroom's return paths; None where no address for bounces is set."""
    return ReturnPaths(signer, bounce_address) if bounce_address else None
