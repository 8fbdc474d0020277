"""Kprobes with cookies, system calls by their names, and many functions at once."""

import os
import unittest

from ebpfgen import runtime as rt

from .loading import UNLINKS, error_of, loaded, unlink_files

FUNCTION, CALL, RESULT, MANY, MANY_RESULTS = range(5)
CALLS = 4


def call_getppid() -> None:
    for _ in range(CALLS):
        os.getppid()


def check_a_kprobe_has_a_cookie() -> None:
    with loaded("kernel_probes") as objs, objs.Function.attach(cookie=5) as link:
        unlink_files()
        assert objs.CookieSum.value == 5 * UNLINKS
        assert link.info.type is rt.LinkType.PERF_EVENT


def check_a_system_call_is_seen_by_its_name() -> None:
    with loaded("kernel_probes") as objs, objs.Call.attach() as link, objs.CallResult.attach():
        assert link.target == "getppid"
        call_getppid()
        assert objs.Counts.value[CALL] == CALLS
        assert objs.Counts.value[RESULT] == CALLS
        assert objs.Result.value == os.getppid()


def check_a_missing_system_call_names_those_that_are_close() -> None:
    with loaded("kernel_probes") as objs:
        error = error_of(lambda: objs.Call.attach("getpppid"))
    assert isinstance(error, rt.AttachError), error
    assert "system call getpppid: this kernel has no such function; close: " in str(error), error
    assert "getppid" in str(error), error


def check_all_that_name_a_function_are_attached_together() -> None:
    with loaded("kernel_probes") as objs, objs.attach() as links:
        assert [link.program for link in links] == ["function", "call", "call_result"]
        call_getppid()
        assert objs.Counts.value[CALL] == CALLS


def needs_kprobe_multi() -> None:
    if missing := why_no_kprobe_multi():
        raise unittest.SkipTest(missing)


def why_no_kprobe_multi() -> str:
    """Return the error of a kernel that has no kprobes of many functions, such as Debian's 6.1."""
    with loaded("kernel_probes", "Many") as objs:
        try:
            objs.Many.attach().close()
        except rt.NotSupportedError as error:
            return str(error)
    return ""


def check_a_kernel_without_kprobes_of_many_says_so() -> None:
    missing = why_no_kprobe_multi()
    if not missing:
        raise unittest.SkipTest("this kernel has them")
    assert missing == (
        "can't attach many to kernel functions do_unlink?t: this kernel is built without "
        "CONFIG_FPROBE, which kprobes of many functions need (EOPNOTSUPP)"
    )


def check_functions_that_fit_a_pattern_are_seen() -> None:
    needs_kprobe_multi()
    with loaded("kernel_probes", "Many") as objs:
        with objs.Many.attach() as link:
            assert link.target == "do_unlink?t"
            unlink_files()
            assert objs.Counts.value[MANY] == UNLINKS
            info = link.info
            assert isinstance(info, rt.ManyLinkInfo), info
        unlink_files()
        assert objs.Counts.value[MANY] == UNLINKS


def check_functions_of_a_list_have_cookies() -> None:
    needs_kprobe_multi()
    functions = ["do_unlinkat", "vfs_unlink"]
    with loaded("kernel_probes", "Many") as objs:
        with objs.Many.attach(functions, cookies=[1, 10]) as link:
            unlink_files()
            assert objs.CookieSum.value % 10 == UNLINKS
            assert objs.CookieSum.value // 10 >= UNLINKS, "an overlay calls it for each layer"
            assert link.target == "do_unlinkat, vfs_unlink"
            assert link.info.count == 2
        error = error_of(lambda: objs.Many.attach(functions, cookies=[1]))
        assert "give one cookie for each function" in str(error), error


def check_returns_of_many_are_seen() -> None:
    needs_kprobe_multi()
    with loaded("kernel_probes", "ManyResults") as objs:
        with objs.ManyResults.attach(["do_unlinkat"]) as link:
            unlink_files()
            assert objs.Counts.value[MANY_RESULTS] == UNLINKS
            assert link.info.flags == 1
        error = error_of(objs.ManyResults.attach)
        assert "names nothing to attach to" in str(error), error


def check_a_missing_function_of_many_is_named() -> None:
    needs_kprobe_multi()
    with loaded("kernel_probes", "Many") as objs:
        error = error_of(lambda: objs.Many.attach(["vfs_unlink", "do_unlinkit"]))
        assert "no function do_unlinkit; close: do_unlinkat" in str(error), error
        error = error_of(lambda: objs.Many.attach("no_such_thing_*"))
        assert "no function no_such_thing_*" in str(error), error
