"""What makes a build fail: which findings count, which are accepted, muted, or newer than the lock.

Knows the records and plain data. No I/O and no clock: files are read by `fuzz.store`, the day comes in as an argument.
"""
