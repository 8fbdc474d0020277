"""What ``generate`` and ``generate --check`` tell people and machines. Prints nothing itself."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from ebpfgen.check import Finding
from ebpfgen.errors import CompileError, EbpfgenError, FailedError
from ebpfgen.run import Generated


def variant_line(variant: Generated) -> str:
    """Return the line about a variant, with paths as seen from the current folder."""
    path = shown(variant.module or variant.object)
    files = f"{path} and .o" if variant.module else path
    state = f"{variant.seconds:.2f} s" if variant.state == "written" else "unchanged"
    return f"{variant.source} → {files} ({variant.object_size / 1000:.1f} kB, {state})"


def finding_lines(finding: Finding) -> list[str]:
    """Return the line about a file, and below it what would change."""
    reason = "" if finding.reason == finding.state else f": {finding.reason}"
    diff = [f"    {line}" for line in finding.diff.splitlines()]
    return [f"{finding.state:<8} {shown(finding.path)}{reason}", *diff]


def check_line(findings: Sequence[Finding]) -> str:
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
                    "module": variant.module and shown(variant.module),
                    "object": shown(variant.object),
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


def json_findings(findings: Sequence[Finding]) -> str:
    """Return what a check found as one JSON object."""
    return _json(
        {
            "findings": [
                {
                    "file": shown(finding.path),
                    "state": finding.state,
                    "reason": finding.reason,
                    "diff": finding.diff,
                }
                for finding in findings
            ]
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


def each_error(error: EbpfgenError) -> tuple[EbpfgenError, ...]:
    """Return the errors that *error* stands for."""
    return error.errors if isinstance(error, FailedError) else (error,)


def shown(path: Path) -> str:
    """Return *path* as seen from the current folder."""
    return os.path.relpath(path)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
