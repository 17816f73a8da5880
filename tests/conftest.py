"""Hypothesis profiles, and nothing else that is global.

`default` for every day, `thorough` for a long look (`--hypothesis-profile thorough`). Where `CI` is set, both draw
the same examples every time. No profile looks at the clock.
"""

import os

from hypothesis import HealthCheck, settings

for _name, _examples in {"default": 50, "thorough": 2_000}.items():
    settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,
        derandomize=bool(os.environ.get("CI")),
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("default")
