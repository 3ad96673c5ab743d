"""The results of runs, whole, as the rows keep them."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from coxswain.api.contract import RunResult
from coxswain.errors import CoxswainError
from coxswain.store.pool import Connection


@dataclass(frozen=True)
class Kept:
    """The result of one attempt."""

    attempt: int
    at: datetime
    result: RunResult


async def of_job(connection: Connection, job_uid: str, attempt: int | None = None) -> Kept | None:
    """The result of that attempt of a Job, or of the newest that has one."""
    row = await connection.fetchrow(
        "SELECT attempt, result_at, result FROM runs WHERE job_uid = $1 AND result IS NOT NULL"
        " AND (attempt = $2 OR $2 IS NULL) ORDER BY attempt DESC LIMIT 1",
        job_uid,
        attempt,
    )
    if row is None:
        return None
    try:
        return Kept(row["attempt"], row["result_at"], RunResult.of_other_version(row["result"]))
    except ValidationError as error:
        raise CoxswainError(f"a result of Job {job_uid} is not of this version") from error
