"""What the kernel's verifier says of a program, as libbpf passes it on."""

import re
from dataclasses import dataclass

_LOG = re.compile(
    r"prog '([^']+)': -- BEGIN PROG LOAD LOG --\n(.*?)-- END PROG LOAD LOG --", re.DOTALL
)
_SOURCE = re.compile(r"; (.*?)(?: @ (\S+:\d+))?$")
_INSTRUCTION = re.compile(r"\d+: (?:\(|<invalid)")
# Statistics, and the states of registers and stack: kernel/bpf/verifier.c and log.c.
_NOT_A_REASON = re.compile(
    r"processed \d+ insns|verification time|stack depth|peak_states|max_states"
    r"|from \d+ to \d+|\d+: R\d|\d+: frame|last_idx|regs=|parent |mark_precise"
    r"|(?:cur|old) state:|caller:|callee:|returning from|func#\d+ @|arg#\d+ reference type"
    r"|frame\d+: R|propagating "
)
_MOST_LINES = 3
_LONGEST_SOURCE = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why, and where, the verifier stopped. All of it is empty if the log does not say.

    ``reason`` is one line. ``source`` is the line of C as the compiler saw it, ``place`` its file
    and number, which kernels before 6.9 leave out.
    """

    reason: str
    source: str
    place: str

    @property
    def where(self) -> str:
        """The place and the line of C, as much as is known of them."""
        source = self.source
        if len(source) > _LONGEST_SOURCE:
            source = source[:_LONGEST_SOURCE] + "…"
        return ": ".join(filter(None, (self.place, source)))

    def __str__(self) -> str:
        return f"{self.reason}, at {self.where}" if self.where else self.reason


def logs(log: str) -> dict[str, str]:
    """Return the verifier's log of each program that what libbpf said has one of, by name."""
    return dict(_LOG.findall(log))


def refusal(log: str) -> Refusal:
    """Return why the verifier refused the program whose log this is."""
    reasons: list[str] = []
    source = place = ""
    for line in log.splitlines():
        if found := _SOURCE.match(line):
            if found[1].strip():  # what the compiler made up has a line, but no text
                source, place = found[1].strip(), found[2] or ""
        elif _INSTRUCTION.match(line):
            reasons.clear()  # the verifier went on after what it said before
        elif line.strip() and not _NOT_A_REASON.match(line):
            reasons.append(line.strip().rstrip("."))
    return Refusal("; ".join(reasons[-_MOST_LINES:]), source, place)
