"""What people read: displays of a running campaign, its summary, and reports of findings.

Consumers of engine events and of the store. Everything that a target said goes through `safe` first.
"""
