"""The sidecar API: the platform door of agent pods, and the API of people.

It talks to Postgres and makes objects on a user's behalf. It never reconciles and reads no Secret.
"""
