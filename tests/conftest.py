"""How properties are searched: the same examples in each run, or new ones with `--hypothesis-profile=explore`."""

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("steady")
