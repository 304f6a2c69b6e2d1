#include "node/cli/words.h"

#include <cctype>

#include "crypto/bytes.h"
#include "node/cli/text.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

namespace pb = google::protobuf;

// The value names of one enum share a prefix, which ends where "UNSPECIFIED" begins.
std::string_view PrefixOf(const pb::EnumDescriptor& type) {
  const std::string_view zero = type.value(0)->name();
  const size_t at = zero.rfind("UNSPECIFIED");
  return at == std::string_view::npos ? std::string_view() : zero.substr(0, at);
}

std::string Translate(std::string_view text, char from, char to, int (*letter)(int)) {
  std::string out;
  for (const char c : text) {
    out += c == from ? to : static_cast<char>(letter(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

std::string EnumWord(const pb::EnumDescriptor& type, int value) {
  if (value == 0) return "";
  const pb::EnumValueDescriptor* known = type.FindValueByNumber(value);
  if (known == nullptr) return std::to_string(value);
  return Translate(std::string_view(known->name()).substr(PrefixOf(type).size()), '_', '-',
                   std::tolower);
}

std::string EnumWords(const pb::EnumDescriptor& type) {
  std::string out;
  for (int i = 1; i < type.value_count(); ++i) {
    if (!out.empty()) out += ", ";
    out += EnumWord(type, type.value(i)->number());
  }
  return out;
}

absl::StatusOr<int> ParseEnumWord(const pb::EnumDescriptor& type, std::string_view word) {
  const std::string name = StateName(word);
  const std::string prefix(PrefixOf(type));
  for (const std::string& candidate : {name, prefix + name}) {
    const pb::EnumValueDescriptor* value = type.FindValueByName(candidate);
    if (value != nullptr && value->number() != 0) return value->number();
  }
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = Cat("\"", Clean(word), "\" is not one of the words used here"),
                         .code = "BAD_VALUE",
                         .why = Cat("Known are: ", EnumWords(type), ".")});
}

std::string StateWord(std::string_view state) { return Translate(state, '_', ' ', std::tolower); }

std::string StateName(std::string_view word) {
  return Translate(Translate(word, '-', '_', std::toupper), ' ', '_', std::toupper);
}

}  // namespace entente::cli
