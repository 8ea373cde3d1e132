"""What rules there are, and what a request may have within it where there are some."""

import pytest
from google.protobuf.descriptor_pool import DescriptorPool

from gateway.policies.validation import limits
from gateway.policies.validation.rules import Rules
from tests.policies.validation.protos import REGISTRY, descriptor

RULES = Rules(REGISTRY.pool)


def test_a_type_has_the_rules_that_its_fields_reach():
    reached = RULES.reached(descriptor("Outer"))
    assert [each.name for each in reached.types] == ["Inner"]


def test_a_type_may_reach_none():
    assert RULES.reached(descriptor("Plain")).types == ()


def test_rules_stand_on_messages_oneofs_and_fields():
    names = {rule.of.name for rule in RULES.of(descriptor("Standard"))}
    assert {"choice", "a_float", "never"} <= names
    assert "by_number" not in names
    assert [rule.of.name for rule in RULES.of(descriptor("Either"))] == ["Either"]


def test_expressions_are_found_wherever_they_are_written():
    texts = {rule.of.name: rule.expressions for rule in RULES.of(descriptor("Written"))}
    assert texts["Written"] == ("this.first <= this.last",)
    assert texts["bare"] == ("this != 'no'",)
    assert texts["low"] == ("this == this.lowerAscii()",)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("Many", limits.STANDARD),
        ("Mapped", limits.WITH_MAPS),
        ("Standard", limits.WITH_MAPS),
        ("Written", limits.WITH_CEL),
        ("Listing", limits.WITH_LISTS),
        ("Holding", limits.WITH_ANY),
    ],
)
def test_how_much_a_request_may_have(name, most):
    assert RULES.reached(descriptor(name)).most == most


def test_where_nobody_imports_the_options_there_are_no_rules():
    rules = Rules(DescriptorPool())
    assert rules.reached(descriptor("Standard")).types == ()
