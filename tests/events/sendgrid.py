"""What SendGrid's event webhook sends, signed as SendGrid signs it."""

import base64
import json
import time
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIVATE_KEY = generate_private_key(SECP256R1())
PUBLIC_KEY = base64.b64encode(
    PRIVATE_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
NOW_S = 1_772_528_400  # 3 March 2026, 9:00 UTC


def an_event(event: str = "delivered", **values: Any) -> dict[str, Any]:
    """About the first reader of issue 1, unless said otherwise."""
    usual = {
        "email": "reader1@readers.example",
        "timestamp": NOW_S,
        "smtp-id": "<issue-1.1@publisher.example>",
        "event": event,
        "category": ["weekly", "issue-1"],
        "sg_event_id": f"id-{event}-{sha256(repr(values).encode()).hexdigest()[:16]}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "publisher_issue": "1",
        "publisher_seq": "1",
    }
    return {name: value for name, value in {**usual, **values}.items() if value is not None}


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps(events).encode()


def signed(body: bytes) -> dict[str, str]:
    """The headers that SendGrid sends with a body."""
    timestamp = str(int(time.time()))
    signature = PRIVATE_KEY.sign(timestamp.encode() + body, ECDSA(SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        "Content-Type": "application/json",
    }
