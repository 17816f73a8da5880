"""The cases: one decorated function each, one module a topic; importing the package registers them all.

A case of a Charging Station takes a `StationBench`, a case of a CSMS a `CsmsBench`; both say what is exposed and what is
expected, and nothing of how. A new topic is a new module and one name in the line below.
"""

__all__: list[str] = []
