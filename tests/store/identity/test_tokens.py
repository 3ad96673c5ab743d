import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from coxswain.errors import UnauthenticatedError, UnavailableError
from coxswain.identity.keys import FETCH_SECONDS, Keys
from coxswain.identity.tokens import Verifier
from coxswain.store import keys
from coxswain.store.pool import Store
from tests.support.issuer import deep
from tests.support.rows import pod
from tests.support.ticking import Ticking
from tests.support.tokens import SigningCluster

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)


def verifier(cluster: SigningCluster, store: Store, clock: Ticking | None = None) -> Verifier:
    return Verifier(Keys(cluster, store, clock or Ticking()), "test")


async def refused(judge: Verifier, token: str) -> str:
    with pytest.raises(UnauthenticatedError) as error:
        await judge.pod(token)
    return error.value.code


async def test_a_pods_token_names_the_pod(sidecar_store: Store) -> None:
    cluster, owner = SigningCluster(), pod()
    assert await verifier(cluster, sidecar_store).pod(cluster.token(owner)) == owner


KUBERNETES = {"namespace": "team", "serviceaccount": {"name": "coxswain-agent", "uid": "1"}}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exp": NOW - HOUR}, "token_expired"),
        ({"aud": ["coxswain/other"]}, "token_audience"),
        ({"aud": "https://kubernetes.default.svc"}, "token_audience"),
        ({"aud": None}, "token_invalid"),
        ({"exp": None}, "token_invalid"),
        ({"iss": "https://elsewhere"}, "token_invalid"),
        ({"nbf": NOW + HOUR}, "token_invalid"),
        ({"kubernetes.io": None}, "token_invalid"),
        ({"kubernetes.io": KUBERNETES}, "token_unbound"),
        ({"sub": "system:serviceaccount:other:coxswain-agent"}, "token_invalid"),
        ({"sub": "admin"}, "token_invalid"),
    ],
)
async def test_a_token_that_is_wrong_in_one_point_is_refused(
    sidecar_store: Store, changes: dict[str, Any], code: str
) -> None:
    cluster = SigningCluster()
    judge = verifier(cluster, sidecar_store)
    assert await refused(judge, cluster.token(pod(), **changes)) == code


async def test_another_clusters_signature_is_refused(sidecar_store: Store) -> None:
    cluster, other = SigningCluster(), SigningCluster()
    assert await refused(verifier(cluster, sidecar_store), other.token(pod())) == "token_invalid"


async def test_a_changed_token_is_refused(sidecar_store: Store) -> None:
    cluster = SigningCluster()
    head, body, signature = cluster.token(pod()).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["kubernetes.io"]["pod"]["name"] = "another-pod"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    token = f"{head}.{forged}.{signature}"
    assert await refused(verifier(cluster, sidecar_store), token) == "token_invalid"


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(
    sidecar_store: Store,
) -> None:
    cluster = SigningCluster()
    secret = (await cluster.get("/openid/v1/jwks"))["keys"][0]["n"]
    claims = jwt.decode(cluster.token(pod()), options={"verify_signature": False})
    for algorithm, key in (("HS256", secret), ("none", "")):
        token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "first"})
        assert await refused(verifier(cluster, sidecar_store), token) == "token_invalid"


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "...", "e30.e30.", "\x00", "e" * 7000, deep(head=True), deep(head=False)],
    ids=range(9),
)
async def test_garbage_is_refused(sidecar_store: Store, token: str) -> None:
    assert await refused(verifier(SigningCluster(), sidecar_store), token) == "token_invalid"


async def test_a_new_key_is_fetched_and_an_unknown_one_at_most_every_ten_seconds(
    sidecar_store: Store,
) -> None:
    cluster, clock = SigningCluster(), Ticking()
    judge = verifier(cluster, sidecar_store, clock)
    await judge.pod(cluster.token(pod()))
    cluster.add_key("second")
    stranger = SigningCluster()
    stranger.add_key("unknown")
    for _ in range(5):
        token = stranger.token(pod(), key_id="unknown")
        assert await refused(judge, token) == "unauthenticated"
    assert cluster.fetches == 1
    clock.now += FETCH_SECONDS
    await judge.pod(cluster.token(pod(), key_id="second"))
    assert cluster.fetches == 2


async def test_known_keys_stay_good_while_the_api_server_is_away(sidecar_store: Store) -> None:
    cluster, clock = SigningCluster(), Ticking()
    await verifier(cluster, sidecar_store).pod(cluster.token(pod()))
    cluster.away = True
    restarted = verifier(cluster, sidecar_store, clock)
    await restarted.pod(cluster.token(pod()))
    cluster.add_key("second")
    with pytest.raises(UnavailableError):
        await restarted.pod(cluster.token(pod(), key_id="second"))


async def test_without_any_key_nobody_is_called_a_liar(sidecar_store: Store) -> None:
    cluster = SigningCluster()
    cluster.away = True
    with pytest.raises(UnavailableError) as error:
        await verifier(cluster, sidecar_store).pod(cluster.token(pod()))
    assert error.value.code == "keys_unavailable"


async def test_fetched_keys_are_kept_for_others(sidecar_store: Store) -> None:
    cluster = SigningCluster()
    await verifier(cluster, sidecar_store).pod(cluster.token(pod()))
    kept = await sidecar_store.run(keys.kept)
    assert kept is not None
    assert set(kept.keys) == {"first"}
