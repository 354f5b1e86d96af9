"""Which collector this is among its replicas: a name that a restart keeps where anything is kept."""

import uuid
from pathlib import Path

from llmvitals_collector.storage.directory import StorageError, unreadable, unwritable, write_whole

_FILE = "instance_id"


def instance_id(directory: str) -> str:
    """The UUID of the collector to which a directory belongs, which is made and kept the first time.

    directory: of the storage, which exists, or "" for none: then each call gives another.
    https://opentelemetry.io/docs/specs/semconv/resource/#service

    Raises:
        StorageError: it cannot be read or written.
    """
    if not directory:
        return str(uuid.uuid4())
    path = Path(directory) / _FILE
    try:
        return str(uuid.UUID(path.read_text("ascii").strip()))
    except FileNotFoundError:
        return _made(path)
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise StorageError(f"storage.directory: {path} holds no UUID; delete it to get a new one") from error


def _made(path: Path) -> str:
    made = str(uuid.uuid4())
    try:
        write_whole(path, [f"{made}\n".encode()])
    except OSError as error:
        raise unwritable(path, error) from error
    return made
