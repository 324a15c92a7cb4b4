from pathlib import Path

from publisher.settings import Settings


def url_of(host: str, port: int) -> str:
    """Return the address to type for a server that listens there."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 -- compared, not bound
    return f"http://{shown}:{port}"


def welcome(settings: Settings, base: str, seconds: float) -> str:
    """Return what the person who typed `make run` wants to know next."""
    rows = [
        ("Home page", f"{base}/"),
        ("Feeds", f"{base}/feeds"),
        *_desk(settings, base),
        (
            "Outbox",
            f"{base}/desk/outbox" if settings.mail_url == "outbox:" else "mail leaves through PUBLISHER_MAIL_URL",
        ),
        ("API", f"{base}/api/docs"),
        ("Hand in", ".venv/bin/publisher article add FILE.txt"),
        ("Stop", "Ctrl-C; everything stays in " + str(settings.data_dir)),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {text}" if name else f"  {'':<{width}}  {text}" for name, text in rows]
    return "\n".join([f"Publisher is ready ({seconds:.1f} s).", "", *lines, ""])


def _desk(settings: Settings, base: str) -> list[tuple[str, str]]:
    link = _sign_in_link(settings.data_dir / "sign-in-link") if settings.is_local else ""
    if not link:
        return [("Desk", f"{base}/desk")]
    return [("Desk", link), ("", "(signs you in once, within 15 minutes; a new one: .venv/bin/publisher editor link)")]


def _sign_in_link(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""
