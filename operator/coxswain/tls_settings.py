"""How processes that answer speak TLS; part of their settings."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from coxswain.configuration import Contradiction, Settings

Port = Annotated[int, Field(ge=0, le=65535)]


def _share_a_port(given: Any) -> bool:
    """Whether two of the API's ports are the same; 0 is any free one."""
    # That port and health_port are the same is a contradiction of every server.
    found = [given.https_port, given.redirect_port, *{given.port, given.health_port}]
    opened = [each for each in found if each]
    return len(set(opened)) < len(opened)


ONE_PORT = Contradiction(
    "COXSWAIN_PORT, COXSWAIN_HEALTH_PORT: both name the same port; give each its own",
    lambda self: self.port == self.health_port != 0,
)

PORTS_APART = Contradiction(
    "COXSWAIN_PORT, COXSWAIN_HEALTH_PORT, COXSWAIN_HTTPS_PORT, COXSWAIN_REDIRECT_PORT,"
    " COXSWAIN_CERTIFICATE_FILE: two of them are the same port; give each its own",
    lambda self: self.certificate_file is not None and _share_a_port(self),
)
"""Of a process that has these settings beside those of a server."""


class DoorTlsSettings(Settings):
    """What a server shows at its own port, to whoever comes there inside the cluster."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        Contradiction(
            "COXSWAIN_DOOR_CERTIFICATE_FILE, COXSWAIN_DOOR_CERTIFICATE_KEY_FILE: a certificate and its key"
            " belong together; give both, or none",
            lambda self: (
                (self.door_certificate_file is None) != (self.door_certificate_key_file is None)
            ),
        ),
    )

    door_certificate_file: Path | None = None
    """Certificate for port, with those between it and its authority, as PEM; with it that port speaks TLS
    alone, without it plain HTTP. A new one is served as soon as it is there, without a restart."""
    door_certificate_key_file: Path | None = None
    """The private key of that certificate, as PEM, not encrypted."""


OF_SERVERS = (ONE_PORT, *DoorTlsSettings.CONTRADICTIONS)
"""Of every process that answers."""


class TlsSettings(Settings):
    """A port over TLS beside the plain one, and one that leads there."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        Contradiction(
            "COXSWAIN_CERTIFICATE_FILE, COXSWAIN_CERTIFICATE_KEY_FILE: a certificate and its key belong"
            " together; give both, or none",
            lambda self: (self.certificate_file is None) != (self.certificate_key_file is None),
        ),
        Contradiction(
            "COXSWAIN_REDIRECT_PORT, COXSWAIN_CERTIFICATE_FILE: plain requests are led to a port over TLS"
            " that is not there; give a certificate, or lead nobody",
            lambda self: self.redirect_port is not None and self.certificate_file is None,
        ),
    )

    certificate_file: Path | None = None
    """Certificate of the API for https_port, with those between it and its authority, as PEM; none opens no
    such port. A new one is served as soon as it is there, without a restart."""
    certificate_key_file: Path | None = None
    """Its private key, as PEM, not encrypted."""
    https_port: Port = 8443
    """Port for users over TLS, if there is a certificate."""
    redirect_port: Port | None = None
    """Plain port that leads to https:// with status 308 and answers nothing else; none opens none."""
    redirect_to: Port = 443
    """Port of https:// as users see it."""
