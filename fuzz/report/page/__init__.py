"""The report as a page: one HTML file that needs nothing beside it, and that runs nothing.

`look.py` says what a page is made of; `sequence.py`, `coverage.py`, `risks.py`, `timing.py` and `comparing.py` each make
one part of it out of results, `figures.py` draws, and `render.py` puts all of it into the template in `fuzz/report/data`.
Nothing in here reads a file of a run.
"""
