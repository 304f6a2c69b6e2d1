// One command line from words to exit code.
#include <algorithm>

#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/help.h"
#include "node/cli/text.h"
#include "node/cli/verbs.h"

namespace entente::cli {
namespace {

bool Contains(const std::vector<std::string>& words, const char* word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

ExitCode Fail(const absl::Status& status, bool json, Terminal& terminal) {
  terminal.err << (json ? Cat(ErrorAsJson(status), "\n") : ErrorForPeople(status));
  return ExitCodeOf(status);
}

ExitCode Help(std::vector<std::string> words, Terminal& terminal) {
  std::erase_if(words, [](const std::string& word) { return word.rfind("--", 0) == 0; });
  if (words.empty()) {
    terminal.out << HelpOfAll(AllVerbs());
    return kDone;
  }
  const std::string noun = words.front();
  std::vector<std::string> rest = words;
  if (const Verb* verb = TakeVerb(AllVerbs(), rest); verb != nullptr) {
    terminal.out << HelpOfVerb(*verb);
    return kDone;
  }
  const std::string text = HelpOfNoun(AllVerbs(), noun);
  if (!text.empty()) {
    terminal.out << text;
    return kDone;
  }
  return Fail(UsageError(Cat("there is no command \"", Clean(noun), "\""), "entente help"), false,
              terminal);
}

absl::Status UnknownCommand(const std::vector<std::string>& words) {
  std::string said;
  for (const std::string& word : words) {
    if (word.rfind("--", 0) == 0) break;
    said += Cat(said.empty() ? "" : " ", Clean(word));
  }
  const std::string noun = words.empty() ? "" : words.front();
  const bool known = !HelpOfNoun(AllVerbs(), noun).empty();
  return UsageError(Cat("there is no command \"", Fit(said, 60), "\""),
                    known ? Cat("entente help ", noun) : "entente help");
}

}  // namespace

ExitCode RunCommand(std::vector<std::string> words, Terminal& terminal) {
  const bool json = Contains(words, "--json");
  if (words.empty()) {
    terminal.err << HelpOfAll(AllVerbs());
    return kUsage;
  }
  if (words.front() == "--version" || words.front() == "version") {
    terminal.out << "entente " << kVersion << "\n";
    return kDone;
  }
  if (words.front() == "help") {
    words.erase(words.begin());
    return Help(std::move(words), terminal);
  }
  const auto end = std::find(words.begin(), words.end(), "--");
  if (std::find(words.begin(), end, "--help") != end) return Help(std::move(words), terminal);

  std::vector<std::string> rest = words;
  const Verb* verb = TakeVerb(AllVerbs(), rest);
  if (verb == nullptr) return Fail(UnknownCommand(words), json, terminal);
  Args args;
  if (verb->passes_on) {
    for (const std::string& word : rest) args.AddRest(word);
  } else {
    absl::StatusOr<Args> parsed = ParseArgs(*verb, rest);
    if (!parsed.ok()) return Fail(parsed.status(), json, terminal);
    args = *std::move(parsed);
  }
  Context context(*verb, args, terminal);
  const absl::Status status = verb->run(context);
  terminal.out.flush();
  return status.ok() ? context.exit_code() : Fail(status, json, terminal);
}

}  // namespace entente::cli
