"""The reference CSMS: the tool's proper voice towards a Charging Station, and an end of its own to be attacked.

The end is complete in handshake, authentication, identity, boot and certificates (`core`, `admission`, `station`; its
I/O in `shell`); transactions and billing are answered politely and no more (`voice`).
"""

from fuzz.csms.facts import BootFacts, Facts, SecurityEvent
from fuzz.csms.voice import CsmsVoice

__all__ = ["BootFacts", "CsmsVoice", "Facts", "SecurityEvent"]
