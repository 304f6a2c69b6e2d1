// The process that rocks_crash_test.cc kills: commits numbered batches and acknowledges each one.
#pragma once

#include <string>

namespace entente::store {

// A batch is kCrashRows rows, all named after its number, large enough to be torn.
inline constexpr int kCrashRows = 3;
std::string CrashKey(int batch, int row);
std::string CrashValue(int batch, int row);

// Opens the store in `dir`, finds the next free number, and commits from there on, writing each
// number to standard output once its commit is durable. How it ends: "exit-N" leaves without
// closing anything after N batches, "run" goes on until it is killed.
int RunCrashChild(const std::string& dir, const std::string& ending);

}  // namespace entente::store
