"""Cores, CPU time and memory of processes, and a description of this machine."""

import os
import pathlib
import platform
import subprocess

SERVER_CORE = 0
LOAD_CORE = 1

_TICK = os.sysconf("SC_CLK_TCK")


def pinned(core):
    """Returns a function for Popen's child process, which pins it with all its threads to that core."""
    return lambda: os.sched_setaffinity(0, {core})


def pinned_ahead(core):
    """Returns a function like pinned() that also raises the process's priority, if that is allowed."""
    def prepare():
        pinned(core)()
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -10)
        except PermissionError:
            pass
    return prepare


def tree(pid):
    """Returns the IDs of the process and its descendants. Processes that have ended are left out."""
    found, unseen = [], [pid]
    while unseen:
        current = unseen.pop()
        found.append(current)
        try:
            for task in pathlib.Path(f"/proc/{current}/task").glob("*/children"):
                unseen += [int(child) for child in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def cpu_seconds(pid):
    """Returns the user and system time of the process and its descendants.

    Descendants that have ended are included if their parents have waited for them.
    """
    ticks = 0
    for member in tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICK


def cpu_seconds_of_threads(pid):
    """Returns the CPU time of the living threads of one process to the nanosecond.

    It serves for times that are too short to be counted in ticks.
    """
    nanoseconds = 0
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            nanoseconds += int(task.read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return nanoseconds / 1e9


def core_seconds(core):
    """Returns for how long the core was busy with any work since the machine's start.

    Time that the hypervisor took is included.
    """
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _io_wait, irq, soft_irq, stolen = (int(tick) for tick in ticks[:8])
            return (user + nice + system + irq + soft_irq + stolen) / _TICK
    raise RuntimeError(f"there is no core {core}")


def resident_bytes_peak(pid):
    """Returns the process's largest resident memory so far, in bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise RuntimeError(f"no VmHWM of process {pid}")


def _first(path, prefix):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(prefix):
            return line.partition(":")[2].strip()
    return "unknown"


def _output(*words):
    try:
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _file_system(folder):
    """Returns the type and the device of the file system of the folder."""
    return " on ".join(_output("df", "--output=fstype,source", str(folder)).splitlines()[-1:][0].split())


def _system():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def describe(root, folder):
    """Returns pairs of name and text that describe the conditions of the measurements."""
    commit = _output("git", "-C", str(root), "rev-parse", "--short=12", "HEAD") or "not a checkout"
    changed = _output("git", "-C", str(root), "status", "--porcelain", "--untracked-files=no")
    gibibytes = int(_first("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)
    virtual = _output("systemd-detect-virt") or "none"
    return [
        ("machine", f"{_first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {gibibytes:.0f} GiB; "
                    f"virtualization: {virtual}"),
        ("system", f"{_system()}, Linux {platform.release()}"),
        ("disk of journals and databases", _file_system(folder)),
        ("commit", commit + (" with changes that are not committed" if changed else "")),
    ]
