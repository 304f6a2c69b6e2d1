#include "node/daemon/flags.h"

#include <algorithm>

#include "crypto/bytes.h"
#include "node/service/errors.h"

namespace entente::daemon {
namespace {

absl::Status Usage(const std::string& what) { return UsageError(what, "entented --help"); }

}  // namespace

absl::Status UsageError(std::string_view what, std::string_view next) {
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = what, .code = "USAGE", .next = next});
}

absl::Status NeedFlags(const Flags& flags, const std::vector<std::string>& names,
                       std::string_view help) {
  for (const std::string& name : names) {
    if (flags.Get(name).empty()) return UsageError(Cat("--", name, " is missing"), help);
  }
  return absl::OkStatus();
}

absl::StatusOr<Flags> Flags::Parse(const std::vector<std::string>& words,
                                   const std::vector<FlagSpec>& known) {
  Flags out;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const size_t equals = word.find('=');
    const std::string name = word.rfind("--", 0) == 0 ? word.substr(2, equals - 2) : "";
    const auto spec = std::find_if(known.begin(), known.end(),
                                   [&](const FlagSpec& flag) { return flag.name == name; });
    if (name.empty() || spec == known.end()) {
      return Usage(Cat("\"", word, "\" is not understood here"));
    }
    std::string value;
    if (!spec->value) {
      if (equals != std::string::npos) return Usage(Cat("--", name, " takes no value"));
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return Usage(Cat("--", name, " needs a value"));
    }
    if (out.Has(name) && !spec->repeats) return Usage(Cat("--", name, " is given twice"));
    out.values_[name].push_back(std::move(value));
  }
  return out;
}

std::string Flags::Get(const std::string& name, const std::string& otherwise) const {
  const auto it = values_.find(name);
  return it == values_.end() ? otherwise : it->second.front();
}

std::vector<std::string> Flags::All(const std::string& name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::vector<std::string>() : it->second;
}

}  // namespace entente::daemon
