// Functions for tests that damage the files of a lane's journal while no service runs.
#pragma once

#include <cstdint>
#include <string>

namespace viewcount {

// Returns <data-dir>/lanes/<lane>/<20 digits>.journal with the highest number, which is the file that was written last.
// Returns an empty text if there is none.
std::string NewestJournalFile(const std::string& data_dir, int lane = 0);

// Returns the offset after the last byte that is not zero. Files are allocated in advance, so their ends hold zeros.
uint64_t EndOfData(const std::string& path);

// Replaces the bytes at `offset` by `bytes`.
void Overwrite(const std::string& path, uint64_t offset, const std::string& bytes);

// Flips one bit of one byte.
void FlipBit(const std::string& path, uint64_t offset, int bit);

}  // namespace viewcount
