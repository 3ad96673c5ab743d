"""The loop that all rooms share: observe, decide, act, report. It knows no kopf."""
