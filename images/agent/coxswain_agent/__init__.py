"""The built-in agent program: the reference for the contract of agent images, nothing more."""
