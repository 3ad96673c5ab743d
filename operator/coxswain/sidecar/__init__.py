"""The sidecar API: the platform door of agents, and the API of people and programs."""
