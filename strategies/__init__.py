"""What can be said: schemas in, messages out. No network, no verdicts, nothing of `fuzz` or `tlslab`."""
