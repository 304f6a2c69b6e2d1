// Enumerations as words: TASK_KIND_BANK_DATA is "bank-data" to people. Read from the descriptors,
// so that a new value needs no code here.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_enum_reflection.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace entente::cli {

// "bank-data"; empty for the unspecified value; the number for one this program does not know.
std::string EnumWord(const google::protobuf::EnumDescriptor& type, int value);
// "interview, search, …"
std::string EnumWords(const google::protobuf::EnumDescriptor& type);
// Takes "bank-data", "BANK_DATA" and the full name. InvalidArgument [BAD_VALUE] lists the words.
absl::StatusOr<int> ParseEnumWord(const google::protobuf::EnumDescriptor& type,
                                  std::string_view word);

template <class E>
std::string EnumWord(E value) {
  return EnumWord(*google::protobuf::GetEnumDescriptor<E>(), static_cast<int>(value));
}
template <class E>
absl::StatusOr<E> ParseEnumWord(std::string_view word) {
  const absl::StatusOr<int> value = ParseEnumWord(*google::protobuf::GetEnumDescriptor<E>(), word);
  if (!value.ok()) return value.status();
  return static_cast<E>(*value);
}

// States come as the names of an enum without its prefix: "IN_PROGRESS" is "in progress" in a list.
std::string StateWord(std::string_view state);
// And back for what people type: "in-progress" is "IN_PROGRESS".
std::string StateName(std::string_view word);

}  // namespace entente::cli
