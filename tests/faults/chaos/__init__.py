"""Chaos on the native node: processes, pods and the network of a real installation break while work goes on.

choice      which act is next
node        what can be done to the machine: kill, freeze and start its parts, cut a pod off
acts        what goes wrong, each with its undo
load        what people want meanwhile: Jobs, a Schedule, a Lease
recording   every revision of every object, by watches
view        what is there now, by the same watches
reading     the event log, the rows, the ticks, and what the agents wrote down themselves
checks      what must hold beside the invariants
verdict     what it came to
storm       all of it together
"""
