"""`publisher webhook`."""

from tests.cli.conftest import Publisher

URL = "https://crm.example.org/hooks"


def test_an_endpoint_is_led_by_command(publisher: Publisher) -> None:
    added = publisher("webhook", "add", URL, "--event", "issue.sent", "--name", "CRM", "--json").json
    endpoint = added["id"]
    assert added["secret"].startswith("whsec_")
    assert publisher("webhook", "secret", endpoint).out.startswith("whsec_")

    assert publisher("webhook", "test", endpoint).code == 0
    (waiting,) = publisher("webhook", "log", endpoint, "--json").json
    assert (waiting["event"], waiting["state"]) == ("webhook.test", "waiting")
    assert publisher("webhook", "again", endpoint, waiting["id"]).code == 0
    assert publisher("webhook", "off", endpoint).code == 0
    assert "switch it on first" in publisher("webhook", "test", endpoint).err
    assert publisher("webhook", "show", endpoint, "--json").json["is_on"] is False
    assert publisher("webhook", "on", endpoint).code == 0
    (listed,) = publisher("webhook", "list", "--json").json
    assert (listed["name"], listed["events"], listed["waiting"]) == ("CRM", ["issue.sent"], 1)
    assert publisher("webhook", "remove", endpoint).code == 0
    assert "publisher webhook add" in publisher("webhook", "list").out


def test_what_cannot_be_used_is_one_sentence(publisher: Publisher) -> None:
    for words in (("http://crm.example.org/",), (URL, "--event", "issue.eaten"), ("https://10.0.0.1/",)):
        done = publisher("webhook", "add", *words)
        assert done.code == 1
        assert done.err.count("\n") == 1
