"""What a proxy may do to the process behind it, and to the servers that all of them use."""

from typing import Protocol


class Hands(Protocol):
    """One replica."""

    name: str

    def kill(self) -> None:
        """End it as a machine would that loses power."""

    def freeze(self, seconds: float) -> None:
        """Stop its time, and let it go on after so long."""

    def cut_off(self, seconds: float) -> None:
        """Let no connection to Postgres through for so long."""

    def kill_server(self, name: str, seconds: float) -> None:
        """End etcd or kube-apiserver as a machine would that loses power, for so long."""
