"""Every type of event that there is, by what it is about; ``registry`` holds them all.

job agent lease schedule   what the platform tells of objects
callback approval          what it tells of what hangs on a Job
run door                   what a program tells of its run, and what the platform tells of it
"""
