#include "crypto/parcel_header.h"

namespace entente::crypto {

absl::StatusOr<ParcelHeader> ParseParcelHeader(std::string_view parcel) {
  if (parcel.size() < kParcelHeaderBytes) {
    return absl::InvalidArgumentError("not a parcel: too short [NOT_A_PARCEL]");
  }
  ParcelHeader header;
  header.version = static_cast<uint8_t>(parcel[0]);
  header.bucket = static_cast<uint8_t>(parcel[1]);
  if (header.version != 1 || header.bucket >= kParcelBuckets.size()) {
    return absl::InvalidArgumentError("not a parcel, or of a later version [NOT_A_PARCEL]");
  }
  if (parcel.size() != kParcelBuckets[header.bucket]) {
    return absl::InvalidArgumentError(
        Cat("a parcel of this kind has ", std::to_string(kParcelBuckets[header.bucket]),
            " bytes, this one has ", std::to_string(parcel.size()), " [PARCEL_CUT]"));
  }
  header.mailbox = *MailboxId::From(parcel.substr(2, 32));
  return header;
}

}  // namespace entente::crypto
