// The record kinds, read once from the annotations of records.proto. A new kind is one message.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entente/v1/options.pb.h"
#include "google/protobuf/message.h"

namespace entente::model {

inline constexpr uint32_t kStrategyKind = 2;
inline constexpr uint32_t kLineKind = 3;
inline constexpr uint32_t kTaskKind = 4;
inline constexpr uint32_t kEvidenceKind = 5;
inline constexpr uint32_t kCardKind = 7;
inline constexpr uint32_t kNoteKind = 8;

enum class Side { kOwner, kExecutor, kOther };

class Kind {
 public:
  explicit Kind(const google::protobuf::Descriptor* descriptor);

  uint32_t number() const { return options_.number(); }
  const std::string& name() const { return options_.name(); }
  char ref_letter() const { return options_.ref_letter()[0]; }
  v1::RecordClass record_class() const { return options_.record_class(); }
  const v1::KindOptions& options() const { return options_; }

  std::unique_ptr<google::protobuf::Message> New() const;
  // InvalidArgument when the bytes do not parse. Unknown fields are kept.
  absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Decode(std::string_view bytes) const;

  // Required fields present, texts clean and within their length. InvalidArgument [SCHEMA] or
  // [BAD_TEXT] with the field's name and the cleaned value.
  absl::Status Validate(const google::protobuf::Message& record) const;

  // "ACCEPTED" for 2; "" for numbers that are no state of this kind.
  std::string StateName(uint32_t state) const;
  absl::StatusOr<uint32_t> StateNumber(std::string_view name) const;
  uint32_t InitialState() const { return states_.empty() ? 0 : 1; }
  // The rule for a step, or nullptr when no rule allows `side` to make it.
  const v1::TransitionRule* Rule(uint32_t from, uint32_t to, Side side) const;

  bool MayWrite(const google::protobuf::FieldDescriptor& field, Side side) const;
  bool Immutable(const google::protobuf::FieldDescriptor& field) const;
  std::string Title(const google::protobuf::Message& record) const;

 private:
  const google::protobuf::Descriptor* descriptor_;
  v1::KindOptions options_;
  std::map<uint32_t, std::string> states_;
};

class KindRegistry {
 public:
  KindRegistry();
  const Kind* Find(uint32_t number) const;
  const Kind* FindByName(std::string_view name) const;
  const std::map<uint32_t, Kind>& all() const { return kinds_; }

 private:
  std::map<uint32_t, Kind> kinds_;
};

// Text that people will see: valid UTF-8, no control characters (line breaks and tabs are fine in
// `multiline` text), none of the invisible characters that reorder or hide text.
absl::Status CheckText(std::string_view text, size_t max_bytes, bool multiline);
// The same text with what CheckText refuses made visible as \u{…}; for error messages and tables.
std::string CleanForDisplay(std::string_view text);

}  // namespace entente::model
