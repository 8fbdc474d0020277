"""What bench/generate.py generates from: projects of the template, with C of many sizes."""

import re
import subprocess
from pathlib import Path

from ebpfgen.scaffold import create_project

_BINDING = """
[[tool.ebpfgen.bindings]]
ident = "{ident}"
source = "{package}/{ident}.c"
"""

# Added to the template's C, again and again: a struct, a map of it, and a program that uses them.
_MORE = """
// What is known of one {name}.
struct {name} {{
	u64 started;
	u32 pid, uid;
	char comm[16];
	struct {{
		u16 port;
		u8 address[{length}];
	}} peers[4];
}};

struct {{
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, struct {name});
	__uint(max_entries, 1024);
}} {name}_map SEC(".maps");

SEC("kprobe/do_{name}")
int trace_{name}(struct pt_regs *ctx)
{{
	u32 key = {number};
	struct {name} *found = bpf_map_lookup_elem(&{name}_map, &key);

	if (!found)
		return 0;
	found->started = bpf_ktime_get_ns();
	found->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(found->comm, sizeof(found->comm));
	for (int i = 0; i < 4; i++)
		found->peers[i].address[0] += i;
	return 0;
}}
"""


class Workload:
    """A project of *count* sources: the template's, and some with up to *most* more of all."""

    def __init__(self, folder: Path, count: int, most: int = 16) -> None:
        self.folder = folder
        package = create_project(folder, "kprobe").package
        self.package = folder / package
        template = (self.package / "kprobe.c").read_text()
        config = folder / "pyproject.toml"
        head, _, tail = config.read_text().partition("[[tool.ebpfgen.bindings]]")
        tail = tail[tail.index("[tool.") :]
        self.sources: list[Path] = []
        bindings = ""
        for index in range(count):
            ident = f"probe{index:02}"
            source = self.package / f"{ident}.c"
            parts = index * most // max(count - 1, 1)
            more = [_MORE.format(name=f"item{n}", number=n, length=8 + n) for n in range(parts)]
            source.write_text(template + "".join(more))
            self.sources.append(source)
            bindings += _BINDING.format(ident=ident, package=package)
        (self.package / "kprobe.c").unlink()
        config.write_text(f"{head}{bindings.lstrip()}\n{tail}")
        self._edits = 0

    def clear(self) -> None:
        """Remove all that was made, by ebpfgen and by others."""
        for path in self.package.glob("probe*"):
            if path.suffix != ".c":
                path.unlink()

    def edit(self) -> None:
        """Change what the program of the source in the middle does."""
        self._edits += 1
        source = self.sources[len(self.sources) // 2]
        text = source.read_text()
        source.write_text(re.sub(r"\(count, \d+\)", f"(count, {self._edits + 1})", text))

    @property
    def lines(self) -> tuple[int, int]:
        """How many lines the shortest and the longest source have."""
        counts = [len(source.read_text().splitlines()) for source in self.sources]
        return min(counts), max(counts)


def kernel_object(folder: Path, btf: Path) -> Path:
    """Make an object whose BTF is that of a whole kernel, with a map that holds tasks."""
    source, made = folder / "kernel.c", folder / "kernel.o"
    source.write_text(
        'int probe(void *ctx) __attribute__((section("kprobe")));\n'
        "int probe(void *ctx)\n{\n\treturn 0;\n}\n"
    )
    subprocess.run(
        ["clang", "-target", "bpfel", "-O2", "-c", str(source), "-o", str(made)], check=True
    )
    subprocess.run(["llvm-objcopy", f"--add-section=.BTF={btf}", str(made)], check=True)
    return made
