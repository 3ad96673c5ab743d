"""The web door: a forward proxy that lets agents reach the hosts that their Agent lists."""
