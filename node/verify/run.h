// entente-verify: what it takes, says and returns.
#pragma once

#include <string>
#include <vector>

namespace entente::verify {

// Part of the interface: scripts of courts rely on them.
enum ExitCode : int {
  kHolds = 0,        // intact, and the words of every body were given
  kRefused = 1,      // something is not as it was signed
  kUsage = 2,        // asked wrongly, or the folder cannot be read
  kNotCompared = 3,  // intact, but whose signatures they are was not compared
};

struct Output {
  int exit_code = kUsage;
  std::string out;
  std::string err;
};

// `args` without the program's name.
Output RunProgram(const std::vector<std::string>& args);

}  // namespace entente::verify
