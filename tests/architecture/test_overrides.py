"""Who sets aside what automation does says why: the table of such routes is what the servers ask for."""

from coxswain import sidecar
from coxswain.rules.overrides import ONLY_SOMETIMES, TABLE
from coxswain.rules.permissions import TABLE as PERMISSIONS
from coxswain.web import routes
from tests.architecture.test_routes import holders

REASON = "reason"


def with_reason() -> dict[str, bool]:
    """Every route whose body may give a reason, and whether it has to."""
    found = {
        f"{route.method} {route.path}": body.model_fields[REASON].is_required()
        for each in holders(sidecar.__name__, list(sidecar.__path__))
        for route in routes.of(each, PERMISSIONS)
        if (body := route.model("body")) is not None and REASON in body.model_fields
    }
    assert found
    return found


def test_a_route_wants_a_reason_exactly_where_the_table_says_so() -> None:
    assert {each for each, wants in with_reason().items() if wants} == set(TABLE) - ONLY_SOMETIMES


def test_what_wants_one_only_sometimes_may_always_give_one() -> None:
    assert set(TABLE) > ONLY_SOMETIMES
    assert set(with_reason()) >= ONLY_SOMETIMES
