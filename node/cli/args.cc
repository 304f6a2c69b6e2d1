#include "node/cli/args.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"
#include "crypto/bytes.h"
#include "node/cli/text.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

const Flag* FindFlag(const Verb& verb, std::string_view name) {
  for (const auto* flags : {&verb.flags, &GlobalFlags()}) {
    for (const Flag& flag : *flags) {
      if (flag.name == name) return &flag;
    }
  }
  return nullptr;
}

// How many single-letter changes lead from one word to the other.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

absl::Status UnknownFlag(const Verb& verb, std::string_view name) {
  std::string_view nearest;
  size_t distance = 3;
  for (const auto* flags : {&verb.flags, &GlobalFlags()}) {
    for (const Flag& flag : *flags) {
      const size_t d = Distance(name, flag.name);
      if (d >= distance) continue;
      distance = d;
      nearest = flag.name;
    }
  }
  const std::string help = Cat("entente ", verb.name(), " --help");
  return UsageError(Cat("`", verb.name(), "` has no flag --", Clean(name)),
                    nearest.empty() ? help : Cat("did you mean --", nearest, "? See ", help));
}

absl::Status CheckCount(const Verb& verb, const Args& args) {
  const size_t count = args.rest().size();
  const std::string help = Cat("entente ", verb.name(), " --help");
  if (count < verb.args_min) {
    return UsageError(Cat("`", verb.name(), "` needs ", verb.args), help);
  }
  if (count > verb.args_max) {
    return UsageError(
        Cat("`", verb.name(), "` does not take \"", Clean(args.rest()[verb.args_max]), "\""), help);
  }
  return absl::OkStatus();
}

absl::Status TakeFlag(const Verb& verb, std::span<const std::string> words, size_t* at,
                      Args* args) {
  const std::string_view word = std::string_view(words[*at]).substr(2);
  const size_t equals = word.find('=');
  const std::string name(word.substr(0, equals));
  const Flag* flag = FindFlag(verb, name);
  if (flag == nullptr) return UnknownFlag(verb, name);
  if (args->Has(name) && !flag->repeats && !flag->value.empty()) {
    return UsageError(Cat("--", name, " is given twice"), Cat("entente ", verb.name(), " --help"));
  }
  const bool has_value = equals != std::string_view::npos;
  if (flag->value.empty()) {
    if (has_value) return UsageError(Cat("--", name, " takes no value"), "leave the value out");
    args->Set(name, "");
    return absl::OkStatus();
  }
  if (has_value) {
    args->Set(name, std::string(word.substr(equals + 1)));
    return absl::OkStatus();
  }
  if (*at + 1 >= words.size()) {
    return UsageError(Cat("--", name, " needs ", flag->value), Cat("--", name, " ", flag->value));
  }
  args->Set(name, words[++*at]);
  return absl::OkStatus();
}

// The words of `name`, matched against the words that are not flags, in order.
bool Matches(const std::string& name, const std::vector<std::string>& words,
             const std::vector<size_t>& plain) {
  const std::vector<std::string> parts = absl::StrSplit(name, ' ');
  if (plain.size() < parts.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (words[plain[i]] != parts[i]) return false;
  }
  return true;
}

// Where the words that are neither global flags nor their values stand.
std::vector<size_t> PlainWords(const std::vector<std::string>& words) {
  std::vector<size_t> plain;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") break;
    if (words[i].rfind("--", 0) != 0) {
      plain.push_back(i);
      continue;
    }
    const bool has_value = words[i].find('=') != std::string::npos;
    for (const Flag& flag : GlobalFlags()) {
      if (!has_value && !flag.value.empty() && words[i] == "--" + flag.name) ++i;
    }
  }
  return plain;
}

// "strategy line add" is "line add", "evidence explain" is "explain", "card trust" is "node card
// trust".
void ResolveAlias(std::vector<std::string>& words) {
  const std::vector<size_t> plain = PlainWords(words);
  if (plain.empty()) return;
  const auto first = words.begin() + static_cast<std::ptrdiff_t>(plain[0]);
  const std::string second = plain.size() >= 2 ? words[plain[1]] : "";
  if ((*first == "strategy" && second == "line") || (*first == "evidence" && second == "explain")) {
    words.erase(first);
  } else if (*first == "card") {
    words.insert(first, "node");
  }
}

}  // namespace

const std::vector<Flag>& GlobalFlags() {
  static const std::vector<Flag> flags = {
      {"node", "NODE", "which node: a profile's name, a data directory, or unix:PATH"},
      {"user-key", "FILE", "sign in with this user key file"},
      {"json", "", "print JSON, also for errors"},
      {"quiet", "", "print results alone: no hints, no progress"},
      {"timeout", "SECONDS", "give up after this long (default 300)"},
      {"request-id", "TEXT", "repeating a command with the same text does it once"},
      {"help", "", "explain this command"},
  };
  return flags;
}

std::string Args::Get(const std::string& flag) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? "" : found->second.back();
}

std::vector<std::string> Args::All(const std::string& flag) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> Args::List(const std::string& flag) const {
  std::vector<std::string> out;
  for (const std::string& value : All(flag)) {
    for (std::string& part : std::vector<std::string>(
             absl::StrSplit(value, absl::ByAnyChar(", "), absl::SkipEmpty()))) {
      out.push_back(std::move(part));
    }
  }
  return out;
}

absl::StatusOr<Args> ParseArgs(const Verb& verb, std::span<const std::string> words) {
  Args args;
  bool flags_end = false;
  for (size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (!flags_end && word == "--") {
      flags_end = true;
    } else if (!flags_end && word.rfind("--", 0) == 0) {
      if (absl::Status taken = TakeFlag(verb, words, &at, &args); !taken.ok()) return taken;
    } else if (!flags_end && word.size() > 1 && word[0] == '-') {
      return UsageError(Cat("flags are written out, \"", Clean(word), "\" is none"),
                        Cat("entente ", verb.name(), " --help"));
    } else {
      args.AddRest(word);
    }
  }
  if (args.Has("help")) return args;
  if (absl::Status count = CheckCount(verb, args); !count.ok()) return count;
  return args;
}

const Verb* TakeVerb(std::span<const Verb> verbs, std::vector<std::string>& words) {
  ResolveAlias(words);
  const std::vector<size_t> plain = PlainWords(words);
  const Verb* best = nullptr;
  for (const Verb& verb : verbs) {
    const bool longer = best == nullptr || verb.name().size() > best->name().size();
    if (longer && Matches(verb.name(), words, plain)) best = &verb;
  }
  if (best == nullptr) return nullptr;
  const std::string name = best->name();
  for (auto left = std::count(name.begin(), name.end(), ' '); left >= 0; --left) {
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(plain[static_cast<size_t>(left)]));
  }
  return best;
}

absl::Status UsageError(std::string_view what, std::string_view next) {
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = what, .code = "USAGE", .next = next});
}

}  // namespace entente::cli
