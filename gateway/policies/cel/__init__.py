"""Conditions in CEL (cel.dev) on who calls, and on what: compiled at start-up, asked by each call.

They are evaluated by Google's cel-cpp. What it can be brought to do by what a client sends is
bounded here: see `limits` and `syntax`.
"""

from gateway.policies.cel.compiler import Compiler, ConditionError
from gateway.policies.cel.condition import CHOOSES, Condition

__all__ = ["CHOOSES", "Compiler", "Condition", "ConditionError"]
