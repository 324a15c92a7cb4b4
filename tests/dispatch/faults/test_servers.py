"""The mail server fails in every way it can: everybody gets the issue who can get it."""

import pytest

from publisher.dispatch import flow
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.report import lines
from tests.dispatch.faults.conftest import OnStage
from tests.dispatch.faults.harness import Stage

BUSY = "step=rcpt,do=451 4.3.0 try later"


def resume_when_mended(stage: Stage, **terms: float) -> None:
    stage.sink(**terms)  # type: ignore[arg-type]
    flow.resume(stage.room.database, stage.issue_id, clock=stage.room.clock)


@pytest.mark.slow
def test_a_server_busy_from_the_start_pauses_the_issue_and_resume_reaches_everybody(staged: OnStage) -> None:
    with staged(readers=2_000) as stage:
        stage.sink(BUSY)
        stage.beat()
        stage.worker()

        paused = stage.until_state("paused")
        resume_when_mended(stage)

        stage.judge()
        assert "4.3.0 try later" in paused.reason


@pytest.mark.slow
def test_a_server_busy_for_ten_seconds_loses_nobody(staged: OnStage) -> None:
    with staged(readers=4_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()
        stage.worker()
        stage.until_accepted(500)

        stage.sink(BUSY)  # a mail on the wire may be in doubt when a server goes
        stage.until_state("paused")
        resume_when_mended(stage)

        stage.judge(in_doubt=10)


CUTS = {
    "greeting": "step=connect,do=cut,every=3",
    "greeting, closing": "step=connect,do=421 4.3.2 closing,every=3",
    "sender": "step=mail,do=cut,every=150",
    "354": "step=body,do=cut,every=150",
    "421 to a recipient": "step=rcpt,do=421 4.3.2 closing,every=150",
    "421 at the end": "step=final,do=421 4.3.2 closing,every=150",
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS.keys())
def test_a_connection_that_ends_before_the_message_was_taken_makes_no_copies(
    staged_on_sqlite: OnStage, fault: str
) -> None:
    with staged_on_sqlite(readers=1_000) as stage:
        stage.sink(fault)
        stage.beat()
        stage.worker()

        assert stage.judge().sent_twice_at_most == 0 or "final" in fault or "body" in fault
        assert stage.extra_copies == 0


def test_no_answer_after_the_final_dot_makes_one_copy_more_for_each(staged: OnStage) -> None:
    with staged(readers=1_000) as stage:
        stage.sink("step=final,do=accept-cut,every=100,times=5")
        stage.beat()
        stage.worker()

        assert stage.judge(in_doubt=5).sent_twice_at_most == 5
        assert stage.extra_copies == 5


@pytest.mark.slow
def test_a_server_that_never_answers_is_given_up_and_tried_again(staged_on_sqlite: OnStage) -> None:
    with staged_on_sqlite(readers=500) as stage:
        stage.sink("step=rcpt,do=stall,after=100,times=1", "step=final,do=stall,after=300,times=1")
        stage.beat()
        stage.worker()

        stage.judge(in_doubt=1)


def test_a_server_without_pipelining_serves_everybody(staged_on_sqlite: OnStage) -> None:
    with staged_on_sqlite(readers=1_000) as stage:
        stage.sink(options=("--no-pipelining",))
        stage.beat()
        stage.worker()

        assert stage.judge().sent_twice_at_most == 0


def test_who_is_refused_has_failed_and_the_report_says_why(staged: OnStage) -> None:
    with staged(readers=1_000) as stage:
        stage.sink(
            "step=rcpt,do=550 5.1.1 no such user,matching=reader77", "step=final,do=554 5.7.1 no,matching=reader9@"
        )
        stage.beat()
        stage.worker()

        stage.judge(failed=12)
        with stage.room.database.reading() as connection:
            failed = lines(connection, stage.issue_id, states=[DeliveryState.FAILED], at_most=20)
        whys = {line.email.split("@")[0]: (line.code, line.reason[:5], line.attempts) for line in failed}
        assert whys == {"reader9": (554, "5.7.1", 1)} | dict.fromkeys(
            ["reader77", *(f"reader77{each}" for each in range(10))], (550, "5.1.1", 1)
        )
