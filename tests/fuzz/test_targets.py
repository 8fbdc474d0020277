"""The contract of the fuzz targets holds for real objects, and for those changed a little."""

import random

import pytest

from ebpfgen.errors import ObjectError
from tests.fuzz import seeds
from tests.fuzz.targets import TARGETS_BY_NAME, Target, check_place

ROUNDS = 30
TARGETS = [(name, target, section) for name, (target, section) in TARGETS_BY_NAME.items()]


@pytest.mark.parametrize(("name", "target", "section"), TARGETS)
def test_changed_objects_keep_to_the_contract(name: str, target: Target, section: str) -> None:
    numbers = random.Random(name)
    for data in seeds.sections(section):
        target(data)
    inputs = list(seeds.sections(section))
    for _ in range(ROUNDS):
        changed = bytearray(numbers.choice(inputs))
        for _ in range(numbers.randint(1, 8)):
            changed[numbers.randrange(len(changed))] = numbers.randrange(256)
        target(bytes(changed[: numbers.choice([len(changed), numbers.randrange(len(changed))])]))


def test_an_error_without_a_place_breaks_the_contract() -> None:
    check_place(ObjectError("cut short", where=".BTF", offset=0))
    check_place(ObjectError("prog.c has no BTF: compile with -g (and without -g0)"))
    with pytest.raises(AssertionError, match=r"no offset: cut short in \.BTF"):
        check_place(ObjectError("cut short", where=".BTF"))
