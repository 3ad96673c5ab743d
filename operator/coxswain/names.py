"""Every name that other people can see: group, labels, annotations, paths, and names derived from a uid."""

import hashlib
from functools import lru_cache

GROUP = "coxswain.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "coxswain"
NAME_LENGTH = 63

LABEL_AGENT = f"{GROUP}/agent"
LABEL_JOB = f"{GROUP}/job"
LABEL_SCHEDULE = f"{GROUP}/schedule"
LABEL_QUEUE = f"{GROUP}/queue"
LABEL_OWNER = f"{GROUP}/owner"
LABEL_ATTEMPT = f"{GROUP}/attempt"
LABEL_JOB_TYPE = f"{GROUP}/job-type"
LABEL_INSTALLATION = f"{GROUP}/installation"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_PART_OF = "app.kubernetes.io/part-of"
LABEL_COMPONENT = "app.kubernetes.io/component"
MANAGER = "coxswain"
COMPONENT_AGENT = "agent"

ANNOTATION_CANCEL = f"{GROUP}/cancel"
ANNOTATION_REVIEW = f"{GROUP}/review"
ANNOTATION_IDEMPOTENCY = f"{GROUP}/idempotency"
ANNOTATION_LINEAGE = f"{GROUP}/lineage"
ANNOTATION_REQUESTER = f"{GROUP}/requester"
ANNOTATION_SUSPEND = f"{GROUP}/suspend"
ANNOTATION_TICK = f"{GROUP}/tick"
ANNOTATION_TRACEPARENT = f"{GROUP}/traceparent"
ANNOTATION_CRD_VERSION = f"{GROUP}/crd-version"
FINALIZER = f"{GROUP}/cleanup"

AGENT_SERVICE_ACCOUNT = "coxswain-agent"
AGENT_PRIORITY_CLASS = "coxswain-agent"
POD_QUOTA = "coxswain-agents"
STORAGE_QUOTA = "coxswain-storage"
NETWORK_POLICY = "coxswain-agents"
JOB_TYPE_PREFIX = "coxswain-type-"
SECRET_TYPE_PROVIDER = f"{GROUP}/provider"
SECRET_TYPE_SIGNING = f"{GROUP}/signing"
SECRET_TYPE_CHANNEL = f"{GROUP}/channel"

DEFAULT_QUEUE = "default"

MACHINE = "key:"
"""How the names of machines begin, which have API keys; no person has such a name."""

# Inside an agent pod.
AGENT_UID = 10001
AGENT_CONTAINER = "agent"
DOOR_CONTAINER = "door"
DOOR_PORT = 8700
WEB_DOOR_PORT = 8701
SIGNS_PORT = 8702
SIGN_STARTED = "/started"
SIGN_ALIVE = "/alive"
WORKSPACE_PATH = "/workspace"
FILES_PATH = "/coxswain/files"
INSTRUCTIONS_PATH = "/coxswain/instructions"
HANDED_PATH = "/coxswain/handed"
HANDED_INPUT = f"{HANDED_PATH}/input.json"
HANDED_OUTPUT = f"{HANDED_PATH}/output.json"
TOKEN_DIRECTORY = "/coxswain/identity"  # noqa: S105 - a folder, not a secret
TOKEN_FILE = f"{TOKEN_DIRECTORY}/token"


def audience(installation: str) -> str:
    """The audience of the one token that an agent pod holds."""
    return f"{MANAGER}/{installation}"


def uid_hash(uid: str, *, length: int = 10) -> str:
    """A short, stable hash of an owner's uid for the names of its children."""
    return hashlib.sha256(uid.encode()).hexdigest()[:length]


@lru_cache(maxsize=8192)
def child_name(owner: str, uid: str, suffix: str) -> str:
    """A name that only this owner and suffix can have, at most 63 characters.

    The owner's own name is there for people and is cut; the hash of the uid makes it unique.
    """
    tail = f"-{uid_hash(uid)}-{suffix}"
    return owner[: NAME_LENGTH - len(tail)].rstrip("-.").replace(".", "-") + tail


def attempt_pod(job_name: str, job_uid: str, attempt: int) -> str:
    """The name of the one pod of one attempt."""
    return child_name(job_name, job_uid, str(attempt))


def tick_job(schedule_name: str, schedule_uid: str, tick: str) -> str:
    """The name of the one Job of one tick."""
    return child_name(schedule_name, schedule_uid, tick)


def workspace_claim(agent_name: str, agent_uid: str) -> str:
    """The name of the volume claim that is an Agent's home."""
    return child_name(agent_name, agent_uid, "home")


def run_id(job_uid: str, attempt: int) -> str:
    """How a run is named on the wire."""
    return f"{job_uid}/{attempt}"


def job_type_map(name: str) -> str:
    """The ConfigMap that holds a job type in a workspace."""
    return f"{JOB_TYPE_PREFIX}{name}"


def keyed(prefix: str, workspace: str, key: str) -> str:
    """The name of the one object of an idempotency key, where whoever asks gives only its beginning."""
    tail = hashlib.sha256(f"{workspace}\n{key}".encode()).hexdigest()[:12]
    return f"{prefix[: NAME_LENGTH - len(tail)]}{tail}"
