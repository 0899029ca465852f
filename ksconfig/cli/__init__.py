"""The command line: it reads arguments, calls `ksconfig.operations` and prints. It decides nothing else."""
