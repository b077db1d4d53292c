"""What holds for all tests.

Made-up inputs of hypothesis are the same in each run and on each computer, and no time is asked
for, so that a test is red when the code changed and not because somebody was unlucky or slow.
``pytest --hypothesis-profile=search tests/unit`` looks for new ones.
"""

from hypothesis import HealthCheck, settings

settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("search"), derandomize=True, database=None)
settings.load_profile("same")
