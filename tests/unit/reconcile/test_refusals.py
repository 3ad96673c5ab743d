"""What a quota said, and for how long it holds."""

from coxswain.reconcile.refusals import Refusals


def test_a_refusal_holds_until_the_workspace_has_room() -> None:
    refusals = Refusals()
    refusals.keep("team", "a", "full", news=refusals.news("team"))
    assert refusals.of("team", "a") == "full"
    refusals.has_room("other")
    assert refusals.of("team", "a") == "full"
    refusals.has_room("team")
    assert refusals.of("team", "a") is None


def test_a_refusal_that_news_of_room_has_overtaken_is_not_kept() -> None:
    refusals = Refusals()
    news = refusals.news("team")
    refusals.has_room("team")
    refusals.keep("team", "a", "full", news=news)
    assert refusals.of("team", "a") is None


def test_a_job_that_is_gone_leaves_nothing() -> None:
    refusals = Refusals()
    refusals.keep("team", "a", "full", news=0)
    refusals.forget("team", "a")
    refusals.forget("nowhere", "a")
    assert refusals.of("team", "a") is None
