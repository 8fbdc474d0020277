"""Programs that the kernel calls by BTF run at functions and hooks, and in another's place."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ebpfgen import runtime as rt

from .loading import UNLINKS, error_of, for_this_process, loaded, opened, unlink_files

ENTERED, LEFT, GUARDED, GROUPED, DECIDED = range(5)
MISSING = Path("/no/such")


def unlink_missing() -> None:
    with contextlib.suppress(FileNotFoundError):
        MISSING.unlink()


def check_fentry_sees_arguments_and_the_cookie() -> None:
    with loaded("tracing", "Entered") as objs:
        with objs.Entered.attach(cookie=8) as link:
            assert link.target == "do_unlinkat"
            info = link.info
            assert isinstance(info, rt.TracingLinkInfo), info
            assert info.attach_type == rt.AttachType.TRACE_FENTRY
            unlink_missing()
        unlink_missing()
        assert objs.Counts.value[ENTERED] == 1, objs.Counts.value
        assert objs.Seen.value[ENTERED] == -100, "AT_FDCWD"
        assert objs.Cookie.value == 8


def check_fexit_sees_the_result() -> None:
    with loaded("tracing", "Left") as objs, objs.Left.attach():
        unlink_missing()
        assert objs.Counts.value[LEFT] == 1
        assert objs.Seen.value[LEFT] == -2, "ENOENT"


def check_a_target_is_set_before_loading() -> None:
    specs = opened("tracing")
    specs.EnteredAnywhere.autoload = True
    error = error_of(lambda: specs.EnteredAnywhere.set_attach_target("do_unlinkit"))
    assert isinstance(error, rt.AttachError), error
    assert "close: do_unlinkat" in str(error), error
    specs.EnteredAnywhere.set_attach_target("do_unlinkat")
    with specs.load() as objs, objs.EnteredAnywhere.attach():
        for_this_process(objs)
        unlink_missing()
        assert objs.Counts.value[ENTERED] == 1


def check_fmod_ret_returns_in_a_functions_place() -> None:
    with loaded("tracing", "InsteadOfCheck") as objs, objs.InsteadOfCheck.attach():
        unlink_files()
        assert objs.Counts.value[GUARDED] >= UNLINKS, "an overlay asks for each layer"
        objs.Refuse.value = True
        refused(objs)


def check_lsm_refuses_what_it_is_asked_about() -> None:
    with loaded("tracing", "Guard") as objs:
        with objs.attach() as links:
            assert [link.target for link in links] == ["inode_unlink"]
            unlink_files()
            assert objs.Counts.value[GUARDED] >= UNLINKS, "an overlay asks for each layer"
            objs.Refuse.value = True
            refused(objs)
        unlink_files()


def refused(objs: object) -> None:
    file = Path("/tmp/to-be-unlinked")
    file.touch()
    assert isinstance(error_of(file.unlink), PermissionError)
    objs.Refuse.value = False  # type: ignore[attr-defined]  # a generated class's
    file.unlink()


def check_lsm_cgroup_is_for_the_processes_of_a_cgroup() -> None:
    group = Path("/sys/fs/cgroup/ebpfgen")
    group.mkdir()
    with loaded("tracing", "GroupGuard") as objs, objs.GroupGuard.attach(group) as link:
        assert link.info.type is rt.LinkType.CGROUP
        objs.Refuse.value = True
        socket.socket().close()
        assert objs.Counts.value[GROUPED] == 0, "this process is not in it"
        (group / "cgroup.procs").write_text(str(os.getpid()))
        try:
            assert isinstance(error_of(socket.socket), PermissionError)
        finally:
            (group.parent / "cgroup.procs").write_text(str(os.getpid()))
        assert objs.Counts.value[GROUPED] == 1


@contextlib.contextmanager
def deciding() -> Iterator[tuple[Any, Callable[[], int]]]:
    """Give a program to be replaced or traced, and what runs it and returns what it decided."""
    with (
        loaded("tracing", "Decided") as target,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made,
    ):
        made.bind(("127.0.0.1", 0))

        def decide() -> int:
            made.sendto(b"x", made.getsockname())
            made.recv(1)
            return int(target.Seen.value[DECIDED])

        target.Decided.attach(made)
        yield target, decide


def check_freplace_takes_the_place_of_a_function() -> None:
    with deciding() as (target, decide):
        assert decide() == 3
        specs = opened("tracing")
        specs.Replacement.autoload = True
        specs.Replacement.set_attach_target("decide", target.Decided)
        with specs.load() as objs:
            with objs.Replacement.attach() as link:
                assert link.target == "decide"
                assert decide() == 7
                error = error_of(objs.Replacement.attach)
                assert isinstance(error, rt.AttachError), error
                assert "can't attach replacement to freplace/decide" in str(error), error
            assert decide() == 3


def check_freplace_moves_to_another_program() -> None:
    with loaded("tracing", "Decided") as first, deciding() as (second, decide):
        specs = opened("tracing")
        specs.ReplacementAnywhere.autoload = True
        specs.ReplacementAnywhere.set_attach_target("decide", first.Decided)
        with specs.load() as objs:
            with objs.ReplacementAnywhere.attach(second.Decided, "decide"):
                assert decide() == 43
            assert decide() == 3
            error = error_of(lambda: objs.ReplacementAnywhere.attach(second.Decided))
            assert "pass both program and function" in str(error), error


def check_fentry_of_a_program() -> None:
    with deciding() as (target, decide):
        specs = opened("tracing")
        specs.EnteredAnywhere.autoload = True
        specs.EnteredAnywhere.set_attach_target("decide", target.Decided)
        with specs.load() as objs:
            for_this_process(objs)
            with objs.EnteredAnywhere.attach():
                decide()
                assert objs.Counts.value[ENTERED] == 1


def check_a_function_that_a_program_lacks_is_an_error() -> None:
    with loaded("tracing", "Decided") as target:
        specs = opened("tracing")
        error = error_of(lambda: specs.Replacement.set_attach_target("decides", target.Decided))
        specs.close()
    assert isinstance(error, rt.AttachError), error
    assert "has no such function" in str(error), error
