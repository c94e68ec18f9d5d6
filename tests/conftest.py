"""How properties are searched: the same examples in each run, or new ones with `--hypothesis-profile=explore`; and a clock."""

import pytest
from hypothesis import settings

from tests.clock import Clock

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("steady")


@pytest.fixture
def clock() -> Clock:
    return Clock()
