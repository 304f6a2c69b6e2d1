#include "node/verify/run.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/words.h"
#include "node/verify/disk_tree.h"

namespace entente::verify {
namespace {

constexpr size_t kCertificateBytesMax = 1 << 20;
constexpr std::string_view kUsageText =
    "usage: entente-verify FOLDER [--words WORDS]… [--time-authority FILE] [--json]\n"
    "\n"
    "Checks a bundle of evidence: that nothing in it has been changed since it was signed, and\n"
    "what it proves. Needs no network and no node.\n"
    "\n"
    "  --words WORDS  the eight words of a body, as you got them from that body itself; once for\n"
    "                 each. Without them the signatures are checked, but not whose they are.\n"
    "  --time-authority FILE  the certificate (PEM) of a time-stamping authority, for a bundle "
    "with\n"
    "                 a time stamp\n"
    "  --json         the same as one JSON object\n"
    "\n"
    "ends with 0: holds, and every body's words were given; 1: refused, something is not as it "
    "was\n"
    "signed; 2: asked wrongly, or the folder cannot be read; 3: holds, but not every body's words\n"
    "were given\n";

Output Wrong(std::string_view why) {
  return {kUsage, "", Cat("error: ", why, "\n  Next: entente-verify --help\n")};
}

void AddList(std::string_view heading, const std::vector<std::string>& lines, std::string* out) {
  if (lines.empty()) return;
  *out += Cat(heading, "\n");
  for (const std::string& line : lines) *out += Cat("  - ", line, "\n");
  *out += "\n";
}

std::string AsText(const bundle::Verdict& verdict) {
  std::string out;
  if (!verdict.intact) {
    out = "REFUSED: this bundle is not as it was signed. Do not rely on anything in it.\n\n";
    AddList("What is wrong", verdict.refusals, &out);
    out += "Next: ask whoever gave it to you for a new copy.\n";
    return out;
  }
  out = verdict.bodies_confirmed
            ? "HOLDS: the bundle is as it was signed, by the bodies whose words you gave.\n\n"
            : "HOLDS, but not yet compared: the bundle is as it was signed; whose signatures they "
              "are is still to be compared.\n\n";
  AddList("What it proves", verdict.shown, &out);
  AddList("What it leaves open", verdict.not_shown, &out);
  return out;
}

std::string AsJson(const bundle::Verdict& verdict) {
  const nlohmann::ordered_json out = {{"intact", verdict.intact},
                                      {"bodies_confirmed", verdict.bodies_confirmed},
                                      {"refusals", verdict.refusals},
                                      {"shown", verdict.shown},
                                      {"not_shown", verdict.not_shown}};
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

// Eight words, or why they are none.
bool AreWords(std::string_view typed) {
  const std::string words = crypto::NormalizeWords(typed);
  size_t count = 1;
  for (const char c : words) count += c == '-' ? 1 : 0;
  return count == crypto::kWordCount && words.size() == crypto::kWordCount * 6 - 1;
}

}  // namespace

Output RunProgram(const std::vector<std::string>& args) {
  std::string folder;
  bundle::Known known;
  bool json = false;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (arg == "--help" || arg == "-h") return {kHolds, std::string(kUsageText), ""};
    if (arg == "--json") {
      json = true;
    } else if (arg == "--words") {
      if (i + 1 == args.size() || !AreWords(args[i + 1])) {
        return Wrong(
            "--words takes the eight words of one body, for example "
            "--words babab-babad-babaf-…");
      }
      known.words.insert(args[++i]);
    } else if (arg == "--time-authority") {
      absl::StatusOr<std::string> pem =
          i + 1 == args.size() ? absl::InvalidArgumentError("--time-authority takes a file")
                               : ReadPlainFile(args[i + 1], kCertificateBytesMax);
      if (!pem.ok()) return Wrong(ToStd(pem.status().message()));
      known.time_authorities += *pem;
      ++i;
    } else if (arg.starts_with("-")) {
      return Wrong(Cat("there is no option ", arg));
    } else if (!folder.empty()) {
      return Wrong("one folder at a time");
    } else {
      folder = arg;
    }
  }
  if (folder.empty()) return Wrong("say which folder");
  const absl::StatusOr<DiskTree> tree = DiskTree::Open(folder);
  if (!tree.ok()) return Wrong(ToStd(tree.status().message()));
  const bundle::Verdict verdict = bundle::Verify(*tree, known);
  Output out;
  out.exit_code = !verdict.intact ? kRefused : verdict.bodies_confirmed ? kHolds : kNotCompared;
  out.out = json ? AsJson(verdict) : AsText(verdict);
  return out;
}

}  // namespace entente::verify
