"""What ``generate`` and ``generate --check`` tell people and machines. Prints nothing itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ebpfgen.console import relative
from ebpfgen.errors import CompileError, EbpfgenError
from ebpfgen.run import Generated

if TYPE_CHECKING:
    from ebpfgen.check import Checked, Finding


def variant_line(variant: Generated) -> str:
    """Return the line about a variant, with paths as seen from the current folder."""
    path = relative(variant.module or variant.object)
    files = f"{path} and .o" if variant.module else path
    state = f"{variant.seconds:.2f} s" if variant.state == "written" else "unchanged"
    return f"{variant.source} → {files} ({variant.object_size / 1000:.1f} kB, {state})"


def finding_lines(finding: "Finding") -> list[str]:
    """Return the line about a file, and below it what would change."""
    reason = "" if finding.reason == finding.state else f": {finding.reason}"
    diff = [f"    {line}" for line in finding.diff.splitlines()]
    return [f"{finding.state:<8} {relative(finding.path)}{reason}", *diff]


def check_line(findings: Sequence["Finding"]) -> str:
    """Return the line that sums up what a check found, which is something."""
    count = len(findings)
    files = "1 file is" if count == 1 else f"{count} files are"
    states = {finding.state for finding in findings}
    advice = {
        "run ebpfgen generate": {"stale", "missing"},
        "remove what no binding makes": {"orphaned"},
        "git add what git does not track": {"untracked"},
    }
    steps = ", and ".join(step for step, cures in advice.items() if cures & states)
    return f"{files} not up to date: {steps}"


def json_report(
    variants: Sequence[Generated], warnings: Sequence[str], errors: Sequence[EbpfgenError]
) -> str:
    """Return a run as one JSON object; sizes are in bytes, times in seconds."""
    return _json(
        {
            "variants": [
                {
                    "source": variant.source,
                    "target": variant.target.name,
                    "module": variant.module and relative(variant.module),
                    "object": relative(variant.object),
                    "object_size": variant.object_size,
                    "state": variant.state,
                    "seconds": round(variant.seconds, 3),
                }
                for variant in variants
            ],
            "warnings": list(warnings),
            "errors": [error_facts(error) for error in errors],
        }
    )


def json_findings(checked: "Checked") -> str:
    """Return what a check found as one JSON object."""
    return _json(
        {
            "findings": [
                {
                    "file": relative(finding.path),
                    "state": finding.state,
                    "reason": finding.reason,
                    "diff": finding.diff,
                }
                for finding in checked.findings
            ],
            "errors": [error_facts(error) for error in checked.errors],
        }
    )


def error_facts(error: EbpfgenError) -> dict[str, str | list[str]]:
    """Return an error as a machine reads it."""
    facts: dict[str, str | list[str]] = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, CompileError):
        facts |= {
            "source": error.source,
            "targets": list(error.targets),
            "diagnostics": error.diagnostics,
        }
    return facts


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)
