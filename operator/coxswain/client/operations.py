# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""The routes of the API for people and machines, each with what it answers."""

from coxswain.client import models
from coxswain.client.requests import Operation

LIST_JOBS = Operation("GET", "/v1/jobs", models.ResourceList)
LIST_WORKSPACE_JOBS = Operation("GET", "/v1/workspaces/{workspace}/jobs", models.ResourceList)
CREATE_JOB = Operation("POST", "/v1/workspaces/{workspace}/jobs", models.Resource)
GET_JOB = Operation("GET", "/v1/workspaces/{workspace}/jobs/{name}", models.Resource)
READ_LOG = Operation("GET", "/v1/workspaces/{workspace}/jobs/{name}/log", bytes)
READ_RESULT = Operation("GET", "/v1/workspaces/{workspace}/jobs/{name}/result", models.ResultView)
STREAM_JOB = Operation("GET", "/v1/workspaces/{workspace}/jobs/{name}/stream", bytes)
READ_ARTIFACT = Operation(
    "GET", "/v1/workspaces/{workspace}/jobs/{name}/artifacts/{artifact}", bytes
)
CANCEL_JOB = Operation("POST", "/v1/workspaces/{workspace}/jobs/{name}/cancel", models.Resource)
SUSPEND_JOB = Operation("POST", "/v1/workspaces/{workspace}/jobs/{name}/suspend", models.Resource)
RESUME_JOB = Operation("POST", "/v1/workspaces/{workspace}/jobs/{name}/resume", models.Resource)
REVIEW_JOB = Operation("POST", "/v1/workspaces/{workspace}/jobs/{name}/review", models.Resource)
RERUN_JOB = Operation("POST", "/v1/workspaces/{workspace}/jobs/{name}/rerun", models.Resource)
LIST_APPROVALS = Operation("GET", "/v1/approvals", models.ApprovalList)
GET_APPROVAL = Operation(
    "GET", "/v1/workspaces/{workspace}/jobs/{name}/approval", models.ApprovalView
)
APPROVE_JOB = Operation(
    "POST", "/v1/workspaces/{workspace}/jobs/{name}/approve", models.ApprovalView
)
DENY_JOB = Operation("POST", "/v1/workspaces/{workspace}/jobs/{name}/deny", models.ApprovalView)
LIST_CALLS = Operation("GET", "/v1/workspaces/{workspace}/jobs/{name}/calls", models.CallList)
APPROVE_CALL = Operation(
    "POST", "/v1/workspaces/{workspace}/jobs/{name}/calls/{hash}/approve", models.CallView
)
DENY_CALL = Operation(
    "POST", "/v1/workspaces/{workspace}/jobs/{name}/calls/{hash}/deny", models.CallView
)
LIST_AGENTS = Operation("GET", "/v1/agents", models.ResourceList)
LIST_WORKSPACE_AGENTS = Operation("GET", "/v1/workspaces/{workspace}/agents", models.ResourceList)
GET_AGENT = Operation("GET", "/v1/workspaces/{workspace}/agents/{name}", models.Resource)
LIST_SCHEDULES = Operation("GET", "/v1/schedules", models.ResourceList)
LIST_WORKSPACE_SCHEDULES = Operation(
    "GET", "/v1/workspaces/{workspace}/schedules", models.ResourceList
)
CREATE_SCHEDULE = Operation("POST", "/v1/workspaces/{workspace}/schedules", models.Resource)
GET_SCHEDULE = Operation("GET", "/v1/workspaces/{workspace}/schedules/{name}", models.Resource)
LIST_TICKS = Operation("GET", "/v1/workspaces/{workspace}/schedules/{name}/ticks", models.TickPage)
TRIGGER_SCHEDULE = Operation(
    "POST", "/v1/workspaces/{workspace}/schedules/{name}/trigger", models.RequestView
)
BACKFILL_SCHEDULE = Operation(
    "POST", "/v1/workspaces/{workspace}/schedules/{name}/backfill", models.RequestView
)
SUSPEND_SCHEDULE = Operation(
    "POST", "/v1/workspaces/{workspace}/schedules/{name}/suspend", models.Resource
)
RESUME_SCHEDULE = Operation(
    "POST", "/v1/workspaces/{workspace}/schedules/{name}/resume", models.Resource
)
LIST_LEASES = Operation("GET", "/v1/leases", models.LeaseList)
LIST_WORKSPACE_LEASES = Operation("GET", "/v1/workspaces/{workspace}/leases", models.LeaseList)
CREATE_LEASE = Operation("POST", "/v1/workspaces/{workspace}/leases", models.Resource)
GET_LEASE = Operation("GET", "/v1/workspaces/{workspace}/leases/{name}", models.LeaseView)
ACQUIRE_LEASE = Operation(
    "POST", "/v1/workspaces/{workspace}/leases/{name}/acquire", models.LeaseView
)
RENEW_LEASE = Operation("POST", "/v1/workspaces/{workspace}/leases/{name}/renew", models.LeaseView)
RELEASE_LEASE = Operation(
    "POST", "/v1/workspaces/{workspace}/leases/{name}/release", models.LeaseView
)
RENEW_LEASES = Operation("POST", "/v1/workspaces/{workspace}/lease-renewals", models.RenewAnswer)
RECLAIM_LEASE = Operation(
    "POST", "/v1/workspaces/{workspace}/leases/{name}/reclaim", models.LeaseView
)
LIST_JOB_TYPES = Operation("GET", "/v1/workspaces/{workspace}/job-types", models.JobTypeList)
GET_JOB_TYPE = Operation("GET", "/v1/workspaces/{workspace}/job-types/{name}", models.JobTypeView)
CREATE_JOB_TYPE = Operation("POST", "/v1/workspaces/{workspace}/job-types", models.JobTypeView)
CHANGE_JOB_TYPE = Operation(
    "PATCH", "/v1/workspaces/{workspace}/job-types/{name}", models.JobTypeView
)
READ_EVENTS = Operation("GET", "/v1/events", models.EventPage)
APPEND_EVENTS = Operation("POST", "/v1/events", models.Accepted)
READ_METRICS = Operation("GET", "/v1/metrics", models.MetricsView)
LIST_DELIVERIES = Operation("GET", "/v1/deliveries", models.DeliveryList)
LIST_WORKSPACE_DELIVERIES = Operation(
    "GET", "/v1/workspaces/{workspace}/deliveries", models.DeliveryList
)
GET_DELIVERY = Operation(
    "GET", "/v1/workspaces/{workspace}/deliveries/{delivery}", models.DeliveryWithTries
)
REDRIVE_DELIVERY = Operation(
    "POST", "/v1/workspaces/{workspace}/deliveries/{delivery}/redrive", models.DeliveryView
)
READ_AUDIT = Operation("GET", "/v1/audit", models.AuditPage)
LIST_AUDIT_KEYS = Operation("GET", "/v1/audit/keys", models.AuditKeys)
EXPORT_AUDIT = Operation("GET", "/v1/audit/export", bytes)
READ_HEALTH = Operation("GET", "/v1/health", models.HealthView)
GET_CONFIG = Operation("GET", "/v1/config", models.RunningConfig)
GET_FLAGS = Operation("GET", "/v1/flags", models.FlagList)
CHANGE_FLAGS = Operation("PATCH", "/v1/flags", models.FlagList)
LIST_KEYS = Operation("GET", "/v1/keys", models.KeyList)
CREATE_KEY = Operation("POST", "/v1/keys", models.MadeKey)
REVOKE_KEY = Operation("POST", "/v1/keys/{key}/revoke", models.KeyView)
