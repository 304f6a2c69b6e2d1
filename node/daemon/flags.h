// The daemon's own small command line: `--name VALUE`, `--name=VALUE` and switches.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace entente::daemon {

// InvalidArgument [USAGE].
absl::Status UsageError(std::string_view what, std::string_view next);

struct FlagSpec {
  std::string name;  // without the dashes
  bool value = true;
  bool repeats = false;
};

class Flags {
 public:
  // InvalidArgument [USAGE] names the word that is not understood. Words that are no flags are not
  // understood either.
  static absl::StatusOr<Flags> Parse(const std::vector<std::string>& words,
                                     const std::vector<FlagSpec>& known);

  bool Has(const std::string& name) const { return values_.contains(name); }
  std::string Get(const std::string& name, const std::string& otherwise = "") const;
  std::vector<std::string> All(const std::string& name) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

// InvalidArgument [USAGE] names the first that is missing; `help` is the command to go on with.
absl::Status NeedFlags(const Flags& flags, const std::vector<std::string>& names,
                       std::string_view help);

}  // namespace entente::daemon
