#include "node/cli/form.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "crypto/bytes.h"
#include "node/cli/files.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

namespace pb = google::protobuf;

constexpr size_t kFormBytesMax = 4u << 20;

absl::Status BadForm(std::string_view why) {
  return service::Error(
      absl::StatusCode::kInvalidArgument,
      {.what = "the file given with --file cannot be used", .code = "BAD_FILE", .why = why});
}

std::string Trimmed(std::string_view text) {
  return std::string(ToStd(absl::StripAsciiWhitespace(ToAbsl(text))));
}

// Bytes are base64 in JSON; a body's id has 32 of them and anything else is its code.
std::string PartyAsBase64(const std::string& text) {
  const absl::StatusOr<std::string> raw = Base64Decode(text);
  return raw.ok() && raw->size() == PartyId::kSize ? text : Base64Encode(text);
}

absl::Status TranslateValue(const std::string& name, DayMeans day, pb::Value* value);

absl::Status TranslateStruct(pb::Struct* fields) {
  for (auto& [name, value] : *fields->mutable_fields()) {
    const bool end = name == "period_to" || name == "periodTo";
    const absl::Status status =
        TranslateValue(name, end ? DayMeans::kEnd : DayMeans::kStart, &value);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TranslateValue(const std::string& name, DayMeans day, pb::Value* value) {
  static const std::set<std::string> parties = {"party", "third_country_controller",
                                                "thirdCountryController"};
  static const std::set<std::string> dates = {"period_from", "periodFrom",  "period_to",
                                              "periodTo",    "review_date", "reviewDate"};
  if (value->has_struct_value()) return TranslateStruct(value->mutable_struct_value());
  if (value->has_list_value()) {
    for (pb::Value& item : *value->mutable_list_value()->mutable_values()) {
      if (absl::Status s = TranslateValue(name, day, &item); !s.ok()) return s;
    }
    return absl::OkStatus();
  }
  if (value->kind_case() != pb::Value::kStringValue) return absl::OkStatus();
  if (parties.count(name) > 0) value->set_string_value(PartyAsBase64(value->string_value()));
  if (dates.count(name) > 0 && value->string_value().find('-') != std::string::npos) {
    const absl::StatusOr<int64_t> when = ParseWhen(value->string_value(), day);
    if (!when.ok()) return when.status();
    value->set_string_value(std::to_string(*when));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParseTextForm(const Verb& verb, std::string_view text, Args* args) {
  std::vector<std::pair<std::string, std::string>> fields;
  int number = 0;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(ToAbsl(text), '\n'))) {
    ++number;
    const std::string trimmed = Trimmed(line);
    if (trimmed.empty() || trimmed[0] == '#') continue;
    if ((line[0] == ' ' || line[0] == '\t') && !fields.empty()) {
      fields.back().second += "\n" + trimmed;
      continue;
    }
    const size_t colon = trimmed.find(':');
    if (colon == std::string::npos) {
      return BadForm(Cat("Line ", std::to_string(number), " is not `name: value`."));
    }
    fields.emplace_back(Trimmed(trimmed.substr(0, colon)), Trimmed(trimmed.substr(colon + 1)));
  }
  std::set<std::string> given;  // on the command line
  for (const Flag& flag : verb.flags) {
    if (args->Has(flag.name)) given.insert(flag.name);
  }
  for (const auto& [name, value] : fields) {
    const auto flag = std::find_if(verb.flags.begin(), verb.flags.end(),
                                   [&name = name](const Flag& f) { return f.name == name; });
    if (flag == verb.flags.end() || flag->value.empty() || name == "file") {
      return BadForm(Cat("It has a field \"", Clean(name), "\"; see entente ", verb.name(),
                         " --help for those there are."));
    }
    if (given.count(name) > 0) continue;
    if (!flag->repeats && args->Has(name)) {
      return BadForm(Cat("The field \"", Clean(name), "\" stands in it twice."));
    }
    args->Set(name, value);
  }
  return absl::OkStatus();
}

absl::Status ParseJsonForm(std::string_view json, pb::Message* message) {
  pb::Struct fields;
  const pb::StringPiece text(json.data(), json.size());
  if (const auto s = pb::util::JsonStringToMessage(text, &fields); !s.ok()) {
    return BadForm(Cat("It is not JSON: ", Clean({s.message().data(), s.message().size()})));
  }
  if (absl::Status s = TranslateStruct(&fields); !s.ok()) return s;
  std::string translated;
  const bool written = pb::util::MessageToJsonString(fields, &translated).ok();
  const auto parsed = pb::util::JsonStringToMessage(translated, message);
  if (written && parsed.ok()) return absl::OkStatus();
  return BadForm(Clean({parsed.message().data(), parsed.message().size()}));
}

absl::StatusOr<Args> WithForm(const Verb& verb, const Args& args, pb::Message* message) {
  Args out = args;
  if (!args.Has("file")) return out;
  const absl::StatusOr<std::string> text = ReadWhole(args.Get("file"), kFormBytesMax);
  if (!text.ok()) return text.status();
  const size_t first = text->find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && (*text)[first] == '{';
  const absl::Status status =
      json ? ParseJsonForm(*text, message) : ParseTextForm(verb, *text, &out);
  if (!status.ok()) return status;
  return out;
}

}  // namespace entente::cli
