"""Whatever strangers send, reading it takes time in proportion to its length: every pattern, every parser, every door.

A pattern that goes back over what it has read, or a loop within a loop, lets one request of 64 kB hold a process for
seconds, and the interpreter's lock with it.
"""
