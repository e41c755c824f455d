// How soon a thread runs once it has something to do.
#pragma once

#include <chrono>

namespace viewcount {

// Of lanes: every acknowledgement waits for one, and it waits for the disk. The least that Linux takes.
inline constexpr std::chrono::microseconds kLaneSlice{100};
// Of threads that serve connections: longer, so that a lane goes before them.
inline constexpr std::chrono::microseconds kConnectionsSlice{300};

// Asks Linux to give the calling thread its turns in pieces of `slice`, from 0.1 to 100 ms. It gets no more of the
// processor than before, but the shorter the slice, the sooner it runs when it wakes: without this, a thread that
// waited for a disk or a socket waits on until whoever has the core meanwhile has used up a turn of some milliseconds.
//
// For threads of which others wait, and which mostly wait themselves. Works since Linux 6.12 ("EEVDF Scheduler" in the
// kernel's documentation, Documentation/scheduler/sched-eevdf.rst); before that, and where it is forbidden, nothing
// changes, which no caller needs to know.
void AskForSlice(std::chrono::nanoseconds slice);

}  // namespace viewcount
