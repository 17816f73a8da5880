"""The reference CSMS, thin for now: the tool's proper voice towards a Charging Station."""

from fuzz.csms.facts import BootFacts, Facts, SecurityEvent
from fuzz.csms.voice import CsmsVoice

__all__ = ["BootFacts", "CsmsVoice", "Facts", "SecurityEvent"]
