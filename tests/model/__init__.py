"""A model of what can happen to a Job and to a Lease, in which the product's own loop makes the passes.

passes     one pass of the real loop, stopped at each request and gone on with from its answers
explore    every state that can be reached, and the story of one that must not be
forms      how objects, rows and requests look in a state: small, and equal where they are the same
operators  how their passes go on, what they hear, and what goes wrong with them and their messages
jobs       what may happen to a Job, its pods and its rows
serving    what the API server and the records answer to a Job's pass
promises   what must hold in every state of a Job
leases     the same for a Lease, with its own lease_forms and lease_serving
"""
