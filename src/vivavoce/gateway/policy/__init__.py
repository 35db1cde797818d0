"""Who may do what, and how much: the rules, the file that they stand in, and the stage that holds to them."""

from vivavoce.gateway.policy.file import PolicyFileError, read_policy
from vivavoce.gateway.policy.rules import Limits, Policy, Rules, ToolRules

__all__ = ["Limits", "Policy", "PolicyFileError", "Rules", "ToolRules", "read_policy"]
