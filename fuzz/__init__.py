"""How it is said and what came of it: ends, transport, oracles, engine, reports, command line."""

__version__ = "0.1.0"
