#include "node/cli/help.h"

#include <algorithm>

#include "crypto/bytes.h"
#include "node/cli/table.h"
#include "node/cli/text.h"

namespace entente::cli {
namespace {

constexpr size_t kIndent = 2;

constexpr char kExitCodes[] =
    "Exit codes: 0 done, 1 failed, 2 wrong command, 3 refused by a rule, 4 not found or not for\n"
    "you, 5 conflict, 6 unreachable, 7 integrity alarm.\n";

std::string Columns(const std::vector<std::pair<std::string, std::string>>& lines) {
  size_t width = 0;
  for (const auto& [left, right] : lines) width = std::max(width, DisplayWidth(left));
  width = std::min<size_t>(width, 30);
  std::string out;
  for (const auto& [left, right] : lines) {
    const std::string indent(kIndent, ' ');
    const size_t room = kLineWidth - kIndent - width - 2;
    std::string rest = right;
    out += Cat(indent, PadTo(left, width), "  ");
    if (DisplayWidth(left) > width) out += Cat("\n", std::string(kIndent + width + 2, ' '));
    while (DisplayWidth(rest) > room) {
      const size_t space = rest.rfind(' ', room);
      if (space == std::string::npos || space == 0) break;
      out += Cat(rest.substr(0, space), "\n", std::string(kIndent + width + 2, ' '));
      rest.erase(0, space + 1);
    }
    out += Cat(rest, "\n");
  }
  return out;
}

std::string Usage(const Verb& verb) {
  return Cat(verb.name(), verb.args.empty() ? "" : " ", verb.args);
}

std::string FlagsText(const std::vector<Flag>& flags) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Flag& flag : flags) {
    lines.emplace_back(Cat("--", flag.name, flag.value.empty() ? "" : " ", flag.value),
                       Cat(flag.help, flag.repeats ? "; may repeat" : ""));
  }
  return Columns(lines);
}

}  // namespace

std::string HelpOfAll(std::span<const Verb> verbs) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Verb& verb : verbs) lines.emplace_back(Usage(verb), verb.summary);
  return Cat("entente ", kVersion, ": work with your country's node\n\n", Columns(lines),
             "\nFlags of every command\n", FlagsText(GlobalFlags()), "\n", kExitCodes,
             "\nentente help NOUN [VERB] explains one. A first look: entente node status\n");
}

std::string HelpOfNoun(std::span<const Verb> verbs, const std::string& noun) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Verb& verb : verbs) {
    if (verb.noun == noun) lines.emplace_back(Usage(verb), verb.summary);
  }
  if (lines.empty()) return "";
  return Cat(Columns(lines), "\nentente help ", noun, " VERB explains one.\n");
}

std::string HelpOfVerb(const Verb& verb) {
  std::string out = Cat("entente ", Usage(verb), "\n  ", verb.summary, "\n");
  if (!verb.detail.empty()) out += Cat("\n", verb.detail, "\n");
  if (!verb.flags.empty()) out += Cat("\nFlags\n", FlagsText(verb.flags));
  out += Cat("\nFlags of every command\n", FlagsText(GlobalFlags()));
  return Cat(out, "\nExample\n  ", verb.example, "\n\n", kExitCodes);
}

}  // namespace entente::cli
