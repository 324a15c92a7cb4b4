"""`publisher subscriber data|erase`."""

from tests.cli.conftest import Publisher

ANN = "ann@readers.example"


def addresses(publisher: Publisher) -> list[str]:
    return [each["email"] for each in publisher("subscriber", "list", "--json").json]


def test_a_person_is_told_all_and_erased_after_a_yes(opened: Publisher) -> None:
    opened("subscriber", "add", ANN, "--confirmed")
    assert opened("subscriber", "data", ANN.upper()).json["email"] == ANN

    refused = opened("subscriber", "erase", ANN, typed="n\n")
    assert (refused.code, "Nothing was erased." in refused.err, addresses(opened)) == (1, True, [ANN])

    done = opened("subscriber", "erase", ANN, typed="y\n")
    assert "is erased, and will not be mailed again." in done.out
    assert addresses(opened) == []
    assert "no subscriber" in opened("subscriber", "erase", ANN, "--yes").err


def test_a_person_may_be_forgotten_wholly(opened: Publisher) -> None:
    opened("subscriber", "add", ANN, "--confirmed")

    done = opened("subscriber", "erase", ANN, "--yes", "--forget")

    assert done.out == f"{ANN} is erased.\n"
