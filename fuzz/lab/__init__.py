"""The TLS lab's side of OCPP: the conversations that `tlslab` asks for, playing its cases, and what becomes of them.

Sits on the scripted CSMS of `conformance`. Must not know how anything is shown.
"""
