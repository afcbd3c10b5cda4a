"""The program of the pause container: holds a pod's namespaces, buries orphans, ends at SIGTERM or SIGINT.

A static ELF file put together here, a few hundred bytes, so that a sandbox costs hardly any memory and needs no
compiler. Called by `images`.
"""

from __future__ import annotations

import struct

_BASE = 0x400000
_HEADERS = 64 + 56

# The three signals are blocked, then awaited: a blocked signal reaches PID 1 though PID 1 ignores unhandled ones.
_X86_64 = bytes.fromhex(
    "b80e000000"  # mov eax, 14                rt_sigprocmask
    "31ff"  # xor edi, edi                     SIG_BLOCK
    "488d355a000000"  # lea rsi, [rip+set]
    "31d2"  # xor edx, edx
    "41ba08000000"  # mov r10d, 8
    "0f05"  # syscall
    "b880000000"  # again: mov eax, 128        rt_sigtimedwait, with no time limit
    "488d3d44000000"  # lea rdi, [rip+set]
    "31f6"  # xor esi, esi
    "31d2"  # xor edx, edx
    "41ba08000000"  # mov r10d, 8
    "0f05"  # syscall
    "83f811"  # cmp eax, SIGCHLD
    "7413"  # je reap
    "83f802"  # cmp eax, SIGINT
    "7405"  # je done
    "83f80f"  # cmp eax, SIGTERM
    "75d9"  # jne again
    "b83c000000"  # done: mov eax, 60          exit(0)
    "31ff"  # xor edi, edi
    "0f05"  # syscall
    "b83d000000"  # reap: mov eax, 61          wait4
    "48c7c7ffffffff"  # mov rdi, -1            any child
    "31f6"  # xor esi, esi
    "ba01000000"  # mov edx, 1                 WNOHANG
    "4531d2"  # xor r10d, r10d
    "0f05"  # syscall
    "85c0"  # test eax, eax
    "7fe4"  # jg reap
    "ebb2"  # jmp again
    "6690"  # (alignment)
    "0240010000000000"  # set: SIGINT | SIGTERM | SIGCHLD
)


def pause_program(machine: str) -> bytes | None:
    """The executable for that machine (`platform.machine()`), or None for one whose code is not known here."""
    if machine != "x86_64":
        return None
    size = _HEADERS + len(_X86_64)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + _X86_64
