"""Why attempts and Jobs fail: one word each, with what follows. docs/errors.md prints the table.

Reasons in status, events, results and conditions are these words. A word that does not stand here
is an agent program's own: whether it is tried again is then what the result said.
"""

from typing import NamedTuple

from coxswain.api.contract import ProviderError


class Failure(NamedTuple):
    """One reason: whether trying again may help, and whether it counts towards maxAttempts."""

    code: str
    means: str
    transient: bool
    uses_attempt: bool = True


OUTCOME_UNKNOWN = "OutcomeUnknown"

OF_PODS = (
    Failure("PodLost", "the pod was taken away through no fault of its own", True, False),
    Failure(
        "WorkerLost",
        "neither the program nor its node was heard of for long; the next attempt waits until the pod"
        " is gone",
        True,
        False,
    ),
    Failure(
        "LeaseLost",
        "a lease that the run held was given to somebody else, or its time was over; the next attempt"
        " waits for it anew",
        True,
        False,
    ),
    Failure(
        "DoorMoved",
        "a door of the platform has another address, or is spoken to otherwise now, which the pod cannot"
        " learn",
        True,
        False,
    ),
    Failure("ExitCode", "the program ended with an exit code that is not 0", True),
    Failure("Timeout", "the attempt took longer than its timeout", True),
    Failure("OutOfMemory", "a process needed more memory than the pod's limit", True),
    Failure("Evicted", "the pod used more of the node than its own limits allow", True),
    Failure("StartTimeout", "the pod did not start in time, and nobody says why", True),
    Failure("Unschedulable", "no node took the pod in time", True),
    Failure("ImagePull", "the image could not be pulled in time", True),
    Failure(
        "DoorNotReady", "the door beside an image of its own could not claim the run in time", True
    ),
    Failure("VolumeMount", "a volume could not be mounted in time", True),
)

OF_THE_PLATFORM = (
    Failure(
        OUTCOME_UNKNOWN,
        "it ended while an act with side effects was begun and not ended; spec.review.onUnknown"
        " says who decides",
        False,
    ),
    Failure("Reviewed", "a person looked at it and decided so", False),
    Failure("Invalid", "the spec does not fit, or the run has nothing to do", False),
    Failure("OutputInvalid", "the output does not fit what the Job's type asks for", False),
    Failure("Duplicate", "another Job has its idempotency key and does the work", False),
    Failure("IdempotencyKeyReused", "its idempotency key stands for another payload", False),
    Failure("DependencyFailed", "a Job of its dependsOn ended otherwise than Succeeded", False),
    Failure("DependencyCycle", "Jobs wait for each other in a circle", False),
    Failure("LineageTooDeep", "too many Jobs came from each other, one after the other", False),
    Failure("LineageTooWide", "too many Jobs come from the same one", False),
    Failure("ApprovalDenied", "one of its approvers denied it", False),
    Failure("ApprovalTimeout", "not enough of its approvers agreed in time", False),
    Failure("ApprovalImpossible", "not enough people may agree, or nobody knows who asks", False),
    Failure("Cancelled", "somebody cancelled it", False),
    Failure("AgentDeleted", "its Agent was deleted", False),
)

OF_THE_AGENT = (
    Failure("AgentFailed", "the program said that it failed, and nothing more", True),
    Failure("AgentError", "the agent program could not go on with what the model said", True),
    Failure("MaxSteps", "no answer within the Agent's limits.maxSteps", False),
    Failure("CommandNotStarted", "the command is not there or cannot be run", False),
    Failure("FilesNotCopied", "a file of the Job cannot be put into the workspace", False),
    Failure("StepNotKept", "what a step came to cannot be put into the workspace", False),
    Failure("InstructionsMissing", "the Agent's instructions cannot be read", False),
    Failure(
        "ModelCallFailed", "a model call failed in a way that the gateway does not know", False
    ),
    Failure("ModelGatewayUnavailable", "the model gateway did not answer for too long", True),
)

OF_PROVIDERS = (
    Failure(ProviderError.AUTHENTICATION, "the provider does not take the key", False),
    Failure(ProviderError.PAYMENT, "the provider wants to be paid first", False),
    Failure(ProviderError.RATE_LIMITED, "too many calls for the provider", True),
    Failure(ProviderError.BAD_REQUEST, "the provider does not understand the call", False),
    Failure(ProviderError.MODEL_NOT_FOUND, "the provider has no such model", False),
    Failure(ProviderError.CONTEXT_LENGTH, "the conversation is too long for the model", False),
    Failure(ProviderError.CONTENT_FILTER, "the provider refuses this content", False),
    Failure(ProviderError.TIMEOUT, "the provider said nothing for too long", True),
    Failure(ProviderError.UNAVAILABLE, "the provider does not work now", True),
    Failure(ProviderError.STREAM_CUT, "the answer broke off", True),
    Failure(ProviderError.BAD_RESPONSE, "the provider's answer makes no sense", True),
    Failure(ProviderError.CREDENTIALS_MISSING, "the Agent's Secret is missing or unfit", False),
    Failure(ProviderError.NOT_ALLOWED, "the address may not be called from here", False),
)

TABLE = {each.code: each for each in (*OF_PODS, *OF_THE_PLATFORM, *OF_THE_AGENT, *OF_PROVIDERS)}


def may_pass(code: str) -> bool:
    """Whether trying again may help; of a word that is not ours the result decides."""
    known = TABLE.get(code)
    return known is None or known.transient
