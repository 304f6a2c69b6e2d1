#include "node/model/kinds.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_replace.h"
#include "crypto/bytes.h"
#include "entente/v1/records.pb.h"

namespace entente::model {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kDefaultTextMax = 4096;
constexpr int kListMax = 1000;

// TASK_STATE_ACCEPTED in enum TaskState → ACCEPTED.
std::string WithoutPrefix(const EnumDescriptor& type, const std::string& value) {
  std::string prefix;
  for (size_t i = 0; i < type.name().size(); ++i) {
    const char c = type.name()[i];
    if (i > 0 && c >= 'A' && c <= 'Z') prefix.push_back('_');
    prefix.push_back(static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  }
  prefix.push_back('_');
  return value.rfind(prefix, 0) == 0 ? value.substr(prefix.size()) : value;
}

bool Present(const Message& record, const FieldDescriptor& field) {
  const google::protobuf::Reflection& reflection = *record.GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(record, &field) > 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return !reflection.GetString(record, &field).empty();
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetEnumValue(record, &field) != 0;
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(record, &field) != 0;
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(record, &field) != 0;
    default:
      return true;
  }
}

absl::Status CheckStringField(const Message& record, const FieldDescriptor& field,
                              const v1::FieldOptions& options) {
  if (field.type() != FieldDescriptor::TYPE_STRING) return absl::OkStatus();
  const google::protobuf::Reflection& reflection = *record.GetReflection();
  const size_t max = options.max_bytes() == 0 ? kDefaultTextMax : options.max_bytes();
  const bool multiline = !options.title() && max >= kDefaultTextMax;
  const int count = field.is_repeated() ? reflection.FieldSize(record, &field) : 1;
  if (count > kListMax) {
    return absl::InvalidArgumentError(Cat(field.name(), " has more than 1000 items [TOO_LONG]"));
  }
  for (int i = 0; i < count; ++i) {
    const std::string text = field.is_repeated() ? reflection.GetRepeatedString(record, &field, i)
                                                 : reflection.GetString(record, &field);
    if (absl::Status s = CheckText(text, max, multiline); !s.ok()) {
      return absl::InvalidArgumentError(Cat(field.name(), " ", ToStd(s.message())));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Kind::Kind(const Descriptor* descriptor)
    : descriptor_(descriptor), options_(descriptor->options().GetExtension(v1::record_kind)) {
  const EnumDescriptor* type =
      descriptor->file()->pool()->FindEnumTypeByName(options_.state_enum());
  if (type == nullptr) return;
  for (int i = 0; i < type->value_count(); ++i) {
    if (type->value(i)->number() == 0) continue;
    states_[static_cast<uint32_t>(type->value(i)->number())] =
        WithoutPrefix(*type, type->value(i)->name());
  }
}

std::unique_ptr<Message> Kind::New() const {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor_)->New());
}

absl::StatusOr<std::unique_ptr<Message>> Kind::Decode(std::string_view bytes) const {
  std::unique_ptr<Message> record = New();
  if (!record->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(Cat("a ", name(), " that does not parse [SCHEMA]"));
  }
  return record;
}

absl::Status Kind::Validate(const Message& record) const {
  for (int i = 0; i < descriptor_->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor_->field(i);
    const v1::FieldOptions& options = field.options().GetExtension(v1::field);
    if (options.required() && !Present(record, field)) {
      return absl::InvalidArgumentError(Cat("the ", name(), " has no ",
                                            absl::StrReplaceAll(field.name(), {{"_", " "}}),
                                            " [SCHEMA]"));
    }
    if (absl::Status s = CheckStringField(record, field, options); !s.ok()) return s;
  }
  return absl::OkStatus();
}

std::string Kind::StateName(uint32_t state) const {
  const auto it = states_.find(state);
  return it == states_.end() ? "" : it->second;
}

absl::StatusOr<uint32_t> Kind::StateNumber(std::string_view name_in) const {
  for (const auto& [number, name] : states_) {
    if (name == name_in) return number;
  }
  std::string known;
  for (const auto& [number, name] : states_) known += (known.empty() ? "" : ", ") + name;
  return absl::InvalidArgumentError(Cat("\"", CleanForDisplay(name_in), "\" is no state of a ",
                                        options_.name(), "; it can be ", known, " [BAD_STATE]"));
}

const v1::TransitionRule* Kind::Rule(uint32_t from, uint32_t to, Side side) const {
  const std::string from_name = StateName(from);
  const std::string to_name = StateName(to);
  for (const v1::TransitionRule& rule : options_.transitions()) {
    if (rule.to() != to_name) continue;
    if (std::find(rule.from().begin(), rule.from().end(), from_name) == rule.from().end()) continue;
    const bool owner = rule.mover() == v1::WRITER_OWNER || rule.mover() == v1::WRITER_EITHER;
    const bool executor = rule.mover() == v1::WRITER_EXECUTOR || rule.mover() == v1::WRITER_EITHER;
    if ((side == Side::kOwner && owner) || (side == Side::kExecutor && executor)) return &rule;
  }
  return nullptr;
}

bool Kind::MayWrite(const FieldDescriptor& field, Side side) const {
  const v1::Writer writer = field.options().GetExtension(v1::field).writer();
  if (side == Side::kOther) return false;
  if (writer == v1::WRITER_EITHER) return true;
  return (writer == v1::WRITER_EXECUTOR) == (side == Side::kExecutor);
}

bool Kind::Immutable(const FieldDescriptor& field) const {
  return field.options().GetExtension(v1::field).immutable();
}

std::string Kind::Title(const Message& record) const {
  for (int i = 0; i < descriptor_->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor_->field(i);
    if (field.options().GetExtension(v1::field).title()) {
      return record.GetReflection()->GetString(record, &field);
    }
  }
  return "";
}

KindRegistry::KindRegistry() {
  const google::protobuf::FileDescriptor* file = v1::Task::descriptor()->file();
  for (int i = 0; i < file->message_type_count(); ++i) {
    const Descriptor* message = file->message_type(i);
    if (!message->options().HasExtension(v1::record_kind)) continue;
    Kind kind(message);
    const uint32_t number = kind.number();
    kinds_.emplace(number, std::move(kind));
  }
}

const Kind* KindRegistry::Find(uint32_t number) const {
  const auto it = kinds_.find(number);
  return it == kinds_.end() ? nullptr : &it->second;
}

const Kind* KindRegistry::FindByName(std::string_view name) const {
  for (const auto& [number, kind] : kinds_) {
    if (kind.name() == name) return &kind;
  }
  return nullptr;
}

}  // namespace entente::model
