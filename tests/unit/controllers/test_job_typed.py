"""A Job with a type goes by its run row once that stands."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain.api.job import JobSpec
from coxswain_controllers.job import form, typed
from tests.support import builders
from tests.support.rows import document
from tests.unit.controllers.test_job_leased import RUN, UID


@pytest.mark.parametrize(
    ("image", "goes_by"), [("ghcr.io/team/x:1", "ghcr.io/team/x:1"), (None, "Platform")]
)
async def test_what_has_begun_keeps_its_image_whatever_its_type_and_agent_say_now(
    image: str | None, goes_by: str
) -> None:
    job = form.of_job(builders.job().of_type("count", {"n": 3}).raw)
    begun = replace(RUN, document=document(UID, prompt=None, command=["seq", "3"], image=image))
    nobody: Any = None  # The type itself is not asked.
    found = await typed.resolve(nobody, "team", job, begun, has_pod=True)
    assert isinstance(found.spec, JobSpec)
    assert found.spec.command == ["seq", "3"]
    assert found.contract.image == goes_by
