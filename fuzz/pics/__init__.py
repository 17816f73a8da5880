"""What a Charging Station claims to support: the PICS form, the answers to it, and the files that hold them.

Knows the form and TOML. Must not know messages, sockets, or the reference station, which is built of such answers.
"""
