"""The bundled Postgres, asked inside its own pod as the owner of the schema."""

from devtools import release
from devtools.kubectl import Kubectl

PASSWORD = "PGPASSWORD=$(cat /run/coxswain/passwords/owner)"
CLIENT = "psql -h /tmp -U coxswain -d coxswain -At --command"


def value(kubectl: Kubectl, sql: str) -> str:
    """The one value that a query gives."""
    words = ["exec", "coxswain-postgres-0", "--", "sh", "-c", f'{PASSWORD} {CLIENT} "{sql}"']
    return kubectl.run("--namespace", release.NAMESPACE, *words).strip()


def dump(kubectl: Kubectl) -> str:
    """Every row of every table, as text."""
    program = "pg_dump -h /tmp -U coxswain -d coxswain --data-only"
    words = ["exec", "coxswain-postgres-0", "--", "sh", "-c", f"{PASSWORD} {program}"]
    return kubectl.run("--namespace", release.NAMESPACE, *words)
