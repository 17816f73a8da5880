"""Recorded traffic: what a log, a HAR file or a capture tells of who said what to whom, with its secrets taken out.

Knows file formats, TCP, TLS 1.2 and WebSocket as they are recorded. Must not know cases, nor how anything is played. The
files may come from an attacker: whatever they hold, reading them raises `UsageError` or tells what was `Lost`, in memory
that is bounded.
"""
