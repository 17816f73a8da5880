"""TLS libraries as clients: each implements `tlslab.engines.base.Machine`, raw bytes in, raw bytes out."""
