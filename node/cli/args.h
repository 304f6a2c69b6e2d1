// The command line, read against the table of verbs. Flags may stand anywhere, as `--name VALUE` or
// `--name=VALUE`; `--` ends them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace entente::cli {

class Context;

struct Flag {
  std::string name;   // without the dashes
  std::string value;  // "FILE" in help; empty: a switch
  std::string help;
  bool repeats = false;
};

struct Verb {
  std::string noun = {};  // "evidence"; of a command without a noun, its only word
  std::string verb = {};  // "add"; may be empty
  std::string args = {};  // "FILE…" in help
  std::string summary = {};
  std::string detail = {};  // may be empty
  std::string example = {};
  std::vector<Flag> flags = {};
  size_t args_min = 0;
  size_t args_max = 0;
  absl::Status (*run)(Context&) = nullptr;
  bool passes_on = false;  // its words go as they are to the daemon's program

  std::string name() const { return verb.empty() ? noun : noun + " " + verb; }
};

// Flags that every verb takes.
const std::vector<Flag>& GlobalFlags();

class Args {
 public:
  bool Has(const std::string& flag) const { return values_.count(flag) > 0; }
  // The value, or empty.
  std::string Get(const std::string& flag) const;
  // All values of a flag that repeats.
  std::vector<std::string> All(const std::string& flag) const;
  // The same, each split at commas: `--audience XA,XB --audience XC`.
  std::vector<std::string> List(const std::string& flag) const;

  const std::vector<std::string>& rest() const { return rest_; }
  std::string First() const { return rest_.empty() ? "" : rest_.front(); }

  void Set(const std::string& flag, std::string value) {
    values_[flag].push_back(std::move(value));
  }
  void AddRest(std::string word) { rest_.push_back(std::move(word)); }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> rest_;
};

// InvalidArgument [USAGE]; the message quotes the word and names the help that explains it.
absl::StatusOr<Args> ParseArgs(const Verb& verb, std::span<const std::string> words);

// Finds the verb that `words` begin with, past global flags, and removes its words. NULL when there
// is none. "strategy line add" is the same as "line add", "card show" the same as "node card show".
const Verb* TakeVerb(std::span<const Verb> verbs, std::vector<std::string>& words);

absl::Status UsageError(std::string_view what, std::string_view next);

}  // namespace entente::cli
