"""Manifests of what the platform makes for an attempt; pure, and never more than Pod Security allows."""
