"""Manifests of agent pods and their volumes: pure functions from frozen inputs to finished dicts."""
