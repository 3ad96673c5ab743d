"""Events as people read them, and the text of one in a stream."""

from coxswain.sidecar.wire import EventView
from coxswain.store.events import StoredEvent


def of(stored: StoredEvent) -> EventView:
    """An event of the log."""
    event = stored.event
    return EventView(
        position=stored.position,
        id=event.id,
        at=stored.at,
        recorded_at=stored.recorded_at,
        type=event.type,
        event_version=event.version,
        actor=event.actor,
        workspace=event.workspace,
        kind=event.kind,
        name=event.name,
        uid=event.uid,
        attempt=event.attempt,
        seq=event.seq,
        details=event.details,
    )


def frame(stored: StoredEvent, name: str | None = None) -> bytes:
    """An event as a frame of a stream; its id is the position to go on from."""
    data = of(stored).model_dump_json(by_alias=True, exclude_none=True)
    return message(data, position=stored.position, name=name)


def message(data: str, *, position: int | None = None, name: str | None = None) -> bytes:
    """Any frame of a stream; ``data`` is JSON and so holds no line end."""
    lines = []
    if position is not None:
        lines.append(f"id: {position}")
    if name is not None:
        lines.append(f"event: {name}")
    return "\n".join([*lines, f"data: {data}", "", ""]).encode()
