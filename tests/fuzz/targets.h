// Everything that reads bytes from others, each behind one function. A target must survive any
// input; where it can tell, it also checks that what it accepted is what was promised.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace entente::fuzz {

struct Target {
  std::string name;
  std::vector<std::string> seeds;  // good inputs to start from
  // Aborts the process when a promise is broken.
  std::function<void(std::string_view)> run;
};

std::vector<std::string> TargetNames();
// Aborts for a name that does not exist.
Target FindTarget(std::string_view name);

}  // namespace entente::fuzz
