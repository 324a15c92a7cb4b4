"""
What signing a mail costs the worker that sends it; CPU time of one process, the mail's splicing apart.

    python -m tests.benchmarks.bench_dkim
"""

import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from publisher.dispatch.dkim import DkimSigner, dkim_key
from tests.dispatch.mail import a_letter, reader_values

ROUNDS = 2_000
BODY_BYTES = 20_000


def main() -> None:
    paragraph = "<p>The trams came back to the river, and the children waved at them.</p>\n"
    letter = a_letter(html=paragraph * (BODY_BYTES // len(paragraph)))
    raw = letter.splice(reader_values(1))
    print(f"dkim: relaxed/relaxed, a mail of {len(raw):,} bytes")
    rsa = generate_private_key(public_exponent=65537, key_size=2048)
    for name, key in (("RSA-2048", rsa), ("Ed25519", Ed25519PrivateKey.generate())):
        print(f"  {name:10} {_microseconds(key, raw):6.0f} µs of CPU a mail")


def _microseconds(key: RSAPrivateKey | Ed25519PrivateKey, raw: bytes) -> float:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    sign = DkimSigner([dkim_key(pem, domain="gazette.example", selector="s1")])
    began = time.process_time()
    for _ in range(ROUNDS):
        sign(raw)
    return (time.process_time() - began) / ROUNDS * 1e6


if __name__ == "__main__":
    main()
