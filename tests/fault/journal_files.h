// The files of a lane's journal, for tests that damage them while no service runs.
#pragma once

#include <cstdint>
#include <string>

namespace viewcount {

// <data-dir>/lanes/<lane>/<20 digits>.journal with the highest number: the one that was written last. Empty if there is
// none.
std::string NewestJournalFile(const std::string& data_dir, int lane = 0);

// Behind the last byte that is not zero: files are allocated ahead, and their ends hold zeros.
uint64_t EndOfData(const std::string& path);

// Overwrites what is there at `offset`.
void Overwrite(const std::string& path, uint64_t offset, const std::string& bytes);

// Flips one bit of one byte.
void FlipBit(const std::string& path, uint64_t offset, int bit);

}  // namespace viewcount
