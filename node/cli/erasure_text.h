// An erasure in words: what would go, and who has confirmed.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "entente/v1/client.pb.h"

namespace entente::cli {

std::string ErasurePreviewText(const v1::ErasurePreview& preview);

// Bodies other than the owner that are to destroy it: "XB, XC", or "no other body".
std::string OtherHolders(const v1::RecordView& record);

// Who has answered; "" when the record is not erased.
std::string ErasureTable(const v1::RecordView& record);

// For the file: what was ordered, by whom, on which ground, and each body's answer.
std::string CertificateText(const v1::RecordView& record, absl::Time now);

}  // namespace entente::cli
