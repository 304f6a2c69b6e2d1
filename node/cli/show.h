// Records as lists and as single sheets, the same for every kind.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>

#include "absl/time/time.h"
#include "entente/v1/client.pb.h"

namespace entente::cli {

using Codes = google::protobuf::RepeatedPtrField<std::string>;
std::string JoinCodes(const Codes& codes);  // "XA, XB"

std::string RecordSheet(const v1::RecordView& record);
// What a release or a grant makes readable for whom, and in full what it hands on as signed.
std::string ReleaseSheet(const v1::ReleasePreview& preview);
std::string OriginalSheet(const v1::OriginalView& original);
std::string AgreementSheet(const v1::AgreementView& view);
std::string StrategySheet(const v1::StrategyView& view);
std::string PeerTable(const google::protobuf::RepeatedPtrField<v1::PeerStatus>& peers,
                      absl::Time now);
// How fresh the keys are that others write to, as facts.
std::string KeyLines(const v1::KeyStatus& keys);

}  // namespace entente::cli
