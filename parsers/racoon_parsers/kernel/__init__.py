"""The kernel's tables of SAs (SAD) and policies (SPD), in each of the forms in which they can be had. Pure."""

from racoon_parsers.kernel.detect import parse_policies, parse_sad
from racoon_parsers.kernel.ip_xfrm import parse_ip_policy, parse_ip_state
from racoon_parsers.kernel.model import KernelSa, Sad, State
from racoon_parsers.kernel.setkey_sad import parse_setkey_sad

__all__ = [
    "KernelSa",
    "Sad",
    "State",
    "parse_ip_policy",
    "parse_ip_state",
    "parse_policies",
    "parse_sad",
    "parse_setkey_sad",
]
