#include <cstdio>
#include <string>
#include <vector>

#include "node/verify/run.h"

int main(int argc, char** argv) {
  const entente::verify::Output output =
      entente::verify::RunProgram(std::vector<std::string>(argv + 1, argv + argc));
  std::fwrite(output.err.data(), 1, output.err.size(), stderr);
  std::fwrite(output.out.data(), 1, output.out.size(), stdout);
  return output.exit_code;
}
