"""OCPP-J without I/O: frames, codec, peer (Part 4)."""
