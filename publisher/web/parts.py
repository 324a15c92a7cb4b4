from typing import Annotated

from fastapi import Depends, Request

from publisher.wiring import Newsroom


async def room_of(request: Request) -> Newsroom:
    """Return the newsroom that this application serves."""
    found: Newsroom = request.app.state.room
    return found


Room = Annotated[Newsroom, Depends(room_of)]
"""What an endpoint writes to get the parts of the running Publisher."""
