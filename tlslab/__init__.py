"""Who may connect: certificates, handshakes, rotation. Imports nothing of `fuzz` or `strategies`."""
