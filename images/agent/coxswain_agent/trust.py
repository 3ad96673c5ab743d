"""Whom the agent program trusts: the doors of its installation, by a file in its pod, and nobody else."""

import ssl
from asyncio import sslproto
from pathlib import Path

from coxswain.errors import ConfigurationError

# Two records. Python's TLS gives each connection a buffer of 256 KiB, and all calls that a door passes on at
# once would not fit into its container.
BUFFER_BYTES = 32_768


def context(ca_file: Path | None) -> ssl.SSLContext | None:
    """For connections to the doors; none where they are plain.

    The door's name is checked. Raises ConfigurationError if the file holds no certificate.
    """
    if ca_file is None:
        return None
    sslproto.SSLProtocol.max_size = BUFFER_BYTES
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:
        raise ConfigurationError(
            f"COXSWAIN_CA_FILE: {ca_file} holds no certificate: {error}"
        ) from error
