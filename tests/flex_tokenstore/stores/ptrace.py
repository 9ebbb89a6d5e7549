"""A small tracer for Linux: which system calls a function makes, and its death at one of them.

Only for a process with one thread: the traced function runs in a fork of it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import sys
from collections.abc import Callable
from typing import Literal, NamedTuple

_TRACEME, _SYSCALL, _SETOPTIONS = 0, 24, 0x4200
_GETREGSET, _SETREGSET, _GET_SYSCALL_INFO = 0x4204, 0x4205, 0x420E
_OPTIONS = 0x1 | 0x8 | 0x100000  # system calls marked, threads followed, killed with the tracer
_ENTRY, _EXIT = 1, 2
_WALL = 0x40000000  # threads too
_REGISTERS, _ARM_CALL = 1, 0x404  # register sets
_START, _END, _NOTE = 0, 1, 2  # whose priority is asked for; nobody else asks

# x86_64, aarch64; other calls are shown by their number
_NUMBERS = {
    "read": (0, 63),
    "write": (1, 64),
    "open": (2, None),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "ioctl": (16, 29),
    "pwrite64": (18, 68),
    "access": (21, None),
    "fcntl": (72, 25),
    "flock": (73, 32),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "rename": (82, None),
    "mkdir": (83, None),
    "rmdir": (84, None),
    "link": (86, None),
    "unlink": (87, None),
    "readlink": (89, None),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "getpriority": (140, 141),
    "futex": (202, 98),
    "openat": (257, 56),
    "mkdirat": (258, 34),
    "newfstatat": (262, 79),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "linkat": (265, 37),
    "readlinkat": (267, 78),
    "fchmodat": (268, 53),
    "renameat2": (316, 276),
    "statx": (332, 291),
}
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
_NAMES = {row[_COLUMN]: name for name, row in _NUMBERS.items()} if _COLUMN is not None else {}
_ONE_PATH = {"open", "stat", "lstat", "access", "truncate", "mkdir", "rmdir", "unlink", "readlink"}
_ONE_PATH |= {"chmod"}
_ONE_PATH_AT = {"openat", "mkdirat", "newfstatat", "unlinkat", "readlinkat", "fchmodat", "statx"}
_ON_FD = {"read", "write", "close", "fstat", "lseek", "ioctl", "pwrite64", "fcntl", "flock"}
_ON_FD |= {"fsync", "fdatasync", "ftruncate", "fchmod"}


class Call(NamedTuple):
    """One system call."""

    name: str
    paths: tuple[str, ...]
    """What it is about; for a call on a descriptor the path that was opened, or ``fd N``."""
    result: int | None
    """None: it was not let in, or did not return."""

    @property
    def kind(self) -> str:
        """The name without what differs between machines: ``open`` is ``openat`` on some."""
        name = self.name.removesuffix("2").removesuffix("at")
        return "stat" if name in ("newfstat", "st", "fst", "lst", "statx") else name


class Trace(NamedTuple):
    """What a function did between its two marks."""

    calls: list[Call]
    killed: bool
    """It was killed at the last of the calls, before that did anything."""


class _Info(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("first", ctypes.c_int64),  # the number at the entry, the result at the exit
        ("arguments", ctypes.c_uint64 * 7),
    )


def start() -> None:
    """From here on system calls count."""
    os.getpriority(_START, 0)


def note() -> None:
    """Shows in the trace as ``getpriority``."""
    os.getpriority(_NOTE, 0)


def end() -> None:
    """From here on they do not count any more."""
    os.getpriority(_END, 0)


def why_not() -> str | None:
    """The reason why nothing can be traced here; None: it can."""
    if sys.platform != "linux" or _COLUMN is None:
        return f"the tracer knows Linux on x86_64 and aarch64, not {platform.machine()}"
    try:
        trace(_nothing)
    except (OSError, RuntimeError) as error:
        return f"this system allows no tracing: {error}"
    return None


def _nothing() -> None:
    start()
    end()


def trace(
    function: Callable[[], object],
    kill_at: int | None = None,
    kill_at_file: int | None = None,
    fail_at: tuple[int, int] | None = None,
) -> Trace:
    """Runs ``function`` in a fork.

    Args:
        function: It calls :func:`start` first and :func:`end` last.
        kill_at: Number (from 0) of the system call at whose entry the process, all its
            threads, is killed with SIGKILL.
        kill_at_file: The same, of the calls about files: the others vary from run to run.
        fail_at: Number of the system call, of those about files, that is not done but fails,
            and its errno.

    Raises:
        OSError: The system allows no tracing.
        RuntimeError: The function failed.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if _ptrace(_TRACEME, 0) == 0:
                os.kill(os.getpid(), signal.SIGSTOP)
                function()
                status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status):
        raise OSError(errno.EPERM, "PTRACE_TRACEME was refused")
    if _ptrace(_SETOPTIONS, child, 0, _OPTIONS) != 0:
        number = ctypes.get_errno()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise OSError(number, "PTRACE_SETOPTIONS was refused")
    return _Tracer(child, kill_at, kill_at_file, fail_at).run()


class _Tracer:
    def __init__(
        self,
        process: int,
        kill_at: int | None,
        kill_at_file: int | None,
        fail_at: tuple[int, int] | None,
    ) -> None:
        self._process = process
        self._kill_at = kill_at
        self._kill_at_file = kill_at_file
        self._fail_at, self._errno = fail_at if fail_at is not None else (-1, 0)
        self._files = -1  # number of the last call about a file
        self._faulty: int | None = None
        self._state: Literal["before", "counting", "after"] = "before"
        self._calls: list[Call] = []
        self._entered: dict[int, int] = {}  # thread: index of the call it is in
        self._opened: dict[int, str] = {}
        self._killed = False

    def run(self) -> Trace:
        _ptrace(_SYSCALL, self._process)
        while True:
            thread, status = os.waitpid(-1, _WALL)
            if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                if thread == self._process:
                    return self._result(status)
                continue
            stopped_by, pass_on = os.WSTOPSIG(status), 0
            if stopped_by == signal.SIGTRAP | 0x80:
                self._on_call(thread)
            elif stopped_by not in (signal.SIGTRAP, signal.SIGSTOP):
                pass_on = stopped_by
            _ptrace(_SYSCALL, thread, 0, pass_on)

    def _result(self, status: int) -> Trace:
        if not self._killed and (status != 0 or self._state != "after"):
            raise RuntimeError(f"the traced function failed: wait status {status}")
        return Trace(self._calls, self._killed)

    def _on_call(self, thread: int) -> None:
        info = _Info()
        _ptrace(_GET_SYSCALL_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
        if info.op == _ENTRY:
            self._enter(thread, info)
        elif info.op == _EXIT:
            self._leave(thread, info.first)

    def _enter(self, thread: int, info: _Info) -> None:
        name = _NAMES.get(info.first, f"call {info.first}")
        mark = info.arguments[0] if name == "getpriority" else None
        if mark == _START:
            self._state = "counting"
        elif self._state == "counting":
            self._judge(thread, Call(name, self._paths(name, list(info.arguments)), None))
            if mark == _END:
                self._state = "after"

    def _judge(self, thread: int, call: Call) -> None:
        index = len(self._calls)
        self._entered[thread] = index
        self._calls.append(call)
        about_file = bool(call.paths)
        self._files += about_file
        if index == self._kill_at or (about_file and self._files == self._kill_at_file):
            self._killed = True
            os.kill(self._process, signal.SIGKILL)
        elif about_file and self._files == self._fail_at:
            self._faulty = index
            _skip_call(thread)

    def _leave(self, thread: int, result: int) -> None:
        index = self._entered.pop(thread, None)
        if index is None:
            return
        if index == self._faulty:
            result = -self._errno
            _set_result(thread, result)
        call = self._calls[index] = self._calls[index]._replace(result=result)
        if call.name in ("open", "openat") and result >= 0:
            self._opened[result] = call.paths[0]

    def _paths(self, name: str, arguments: list[int]) -> tuple[str, ...]:
        if name in _ON_FD:
            fd = arguments[0] & 0xFFFFFFFF
            return (self._opened.get(fd, f"fd {fd}"),)
        if name in _ONE_PATH:
            return (self._text(arguments[0]),)
        if name in _ONE_PATH_AT:
            return (self._text(arguments[1]) or self._opened.get(arguments[0], ""),)
        if name in ("rename", "link"):
            return (self._text(arguments[0]), self._text(arguments[1]))
        if name in ("renameat", "renameat2", "linkat"):
            return (self._text(arguments[1]), self._text(arguments[3]))
        return ()

    def _text(self, address: int) -> str:
        with open(f"/proc/{self._process}/mem", "rb", buffering=0) as memory:
            memory.seek(address)
            # Up to the end of its page, beyond which there may be nothing.
            data = memory.read(4096 - address % 4096)
            if b"\0" not in data:
                data += memory.read(4096)
        return os.fsdecode(data.split(b"\0")[0])


def _ptrace(request: int, thread: int, address: int = 0, data: int = 0) -> int:
    function = ctypes.CDLL(None, use_errno=True).ptrace
    function.restype = ctypes.c_long
    function.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    return int(function(request, thread, address, data))


class _Buffer(ctypes.Structure):
    _fields_ = (("address", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _skip_call(thread: int) -> None:
    """The call that the thread is entering is not done."""
    if platform.machine() == "x86_64":
        _change_register(thread, 15)  # orig_rax
    else:
        number = ctypes.c_int(-1)
        buffer = _Buffer(ctypes.addressof(number), ctypes.sizeof(number))
        _ptrace(_SETREGSET, thread, _ARM_CALL, ctypes.addressof(buffer))


def _set_result(thread: int, result: int) -> None:
    _change_register(thread, 10 if platform.machine() == "x86_64" else 0, result)


def _change_register(thread: int, index: int, value: int = -1) -> None:
    registers = (ctypes.c_int64 * 34)()
    buffer = _Buffer(ctypes.addressof(registers), ctypes.sizeof(registers))
    _ptrace(_GETREGSET, thread, _REGISTERS, ctypes.addressof(buffer))
    registers[index] = value
    _ptrace(_SETREGSET, thread, _REGISTERS, ctypes.addressof(buffer))
