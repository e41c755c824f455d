// Requests how soon the Linux scheduler runs a thread that wakes up.
#pragma once

#include <chrono>

namespace viewcount {

// The time slice of lane threads: the smallest that Linux accepts. Every acknowledgement waits for a lane, and the lane
// waits for the disk.
inline constexpr std::chrono::microseconds kLaneSlice{100};
// The time slice of threads that serve connections. It is longer, so that a lane runs before them.
inline constexpr std::chrono::microseconds kConnectionsSlice{300};

// Requests a scheduler time slice of `slice` for the calling thread. The range is 0.1 to 100 ms. The thread's share of
// the processor stays the same, but the shorter the slice, the sooner it runs after waking. Without this request, a
// thread that waited for a disk or a socket waits longer: the thread that runs on its core first uses up its slice of
// some milliseconds.
//
// The function is for threads that mostly wait, and for which other threads wait. It works since Linux 6.12 ("EEVDF
// Scheduler" in the kernel's documentation, Documentation/scheduler/sched-eevdf.rst). On older kernels, and where it is
// forbidden, nothing changes. It reports no error, since no caller needs to know.
void AskForSlice(std::chrono::nanoseconds slice);

}  // namespace viewcount
