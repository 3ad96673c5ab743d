"""The native single-node cluster, for Linux machines where no container engine answers.

It never touches a cluster that it did not make: all its state is in one folder, and what it
changes outside that folder is written down there first, so that `down` can put it back.
"""
