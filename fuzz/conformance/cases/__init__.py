"""The conformance tests, one module a functional block; `registry.written_tests` finds them here."""
