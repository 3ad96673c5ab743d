"""Who is calling: tokens verified offline, and the run that a pod has claimed."""
