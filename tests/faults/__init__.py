"""The fault tester: the real operator behind proxies that kill, delay, drop and lie, and a checker.

plan            what goes wrong, and where: data
director        which fault is due
proxy           between a replica and the API server, and between it and Postgres
servers         the API server and etcd, ended and started again
workloads       what people and agents do meanwhile, and how it has to end
stage, play     one plan, played on the real thing
etcd, history   every revision of every object, read back
invariants      what must hold at each of them
generate        plans from the trace of a run without faults
draw            a sample of them
"""
