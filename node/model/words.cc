#include "node/model/words.h"

#include <algorithm>
#include <cctype>

#include "crypto/bytes.h"
#include "entente/v1/records.pb.h"

namespace entente::model {
namespace {

// "hash mismatch"; a kind of a later version is just an event.
std::string CustodyWord(const v1::Event& event) {
  v1::CustodyEvent custody;
  const google::protobuf::EnumValueDescriptor* kind =
      custody.ParseFromString(event.event())
          ? v1::CustodyEventKind_descriptor()->FindValueByNumber(custody.kind())
          : nullptr;
  return kind == nullptr ? "a custody event" : EnumWord(*kind);
}

}  // namespace

std::string EnumWord(const google::protobuf::EnumValueDescriptor& value) {
  const std::string_view zero = value.type()->value(0)->name();
  const size_t prefix = std::min(zero.rfind("UNSPECIFIED"), value.name().size());
  std::string out = value.name().substr(prefix);
  for (char& c : out) c = c == '_' ? ' ' : static_cast<char>(std::tolower(c));
  return out;
}

std::string WhatItDoes(const v1::EntryBody& body, const Kind& kind) {
  switch (body.change_case()) {
    case v1::EntryBody::kCreate:
      return "created";
    case v1::EntryBody::kRelease:
      return "released";
    case v1::EntryBody::kAmend:
      return "amended";
    case v1::EntryBody::kTransition:
      return Cat("moved to ", kind.StateName(body.transition().to()));
    case v1::EntryBody::kEvent:
      return Cat("recorded: ", CustodyWord(body.event()));
    case v1::EntryBody::kGrant:
      return Cat("handed on as signed, entries: ", std::to_string(body.grant().entries_size()));
    case v1::EntryBody::kErase:
      return "erased";
    case v1::EntryBody::kStatement:
      return "confirmed that it has destroyed it";
    default:
      return "";
  }
}

}  // namespace entente::model
