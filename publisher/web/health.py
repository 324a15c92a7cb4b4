from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from publisher.bell import QUEUE_OF, Job
from publisher.web.parts import Room
from publisher.wiring import Newsroom

router = APIRouter()


@router.get("/healthz", include_in_schema=False)
def healthz(room: Room) -> JSONResponse:
    """Answer 200 when web, database and Redis work; else 503 with what does not."""
    return _answer(_parts(room))


@router.get("/readyz", include_in_schema=False)
def readyz(room: Room) -> JSONResponse:
    """Answer 200 when a worker and beat work too."""
    silent = room.pulse.silent(QUEUE_OF[Job.TICK])
    return _answer(_parts(room) | {name: name not in silent for name in ("worker", "beat")})


def _parts(room: Newsroom) -> dict[str, bool]:
    return {"web": True, "database": _database_answers(room), "redis": room.pulse.answers()}


def _database_answers(room: Newsroom) -> bool:
    try:
        with room.database.reading() as connection:
            return bool(connection.execute(text("SELECT 1")).scalar_one())
    except SQLAlchemyError:
        return False


def _answer(parts: dict[str, bool]) -> JSONResponse:
    """Say of each part whether it works, and in one sentence what does not."""
    silent = [name for name, works in parts.items() if not works]
    problem = f"No answer from: {', '.join(silent)}." if silent else ""
    shown = {name: "ok" if works else "no answer" for name, works in parts.items()}
    content = {"status": "unavailable" if silent else "ok", "parts": shown} | ({"problem": problem} if problem else {})
    return JSONResponse(content, status_code=503 if silent else 200, headers={"Cache-Control": "no-store"})
