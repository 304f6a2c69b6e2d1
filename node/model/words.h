// Numbers of the protocol as words that people read.
#pragma once

#include <string>

#include "entente/v1/entry.pb.h"
#include "google/protobuf/descriptor.h"
#include "node/model/kinds.h"

namespace entente::model {

// TASK_KIND_BANK_DATA is "bank data": what all values of a type begin with says nothing.
std::string EnumWord(const google::protobuf::EnumValueDescriptor& value);

// What an entry does: "created", "moved to ACCEPTED".
std::string WhatItDoes(const v1::EntryBody& body, const Kind& kind);

}  // namespace entente::model
