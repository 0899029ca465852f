"""A small kubelet: the pods of one node as processes of this machine.

Each pod has a network namespace and an address; each container a root of its own made of the machine's programs and
the files of its image. States, restarts with back-off, probes, tokens, grace periods and logs are as a kubelet's.
"""
