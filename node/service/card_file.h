// A node card as a small text file, to hand over on any medium:
//
//   entente-card-1
//   code: XA
//   name: Arvenia, National Prosecution Office
//   words: lusab-babad-…
//   card: <base64 of the SignedCard>
//
// Only the last line is believed; the others are for people's eyes. The words are compared by
// telephone, never taken from the file.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "entente/v1/card.pb.h"

namespace entente::service {

// InvalidArgument when `signed_card` does not parse.
absl::StatusOr<std::string> EncodeCardFile(std::string_view signed_card);

struct CardFile {
  std::string signed_card;  // the exact bytes
  v1::NodeCard card;        // what they say; the signature has not been checked
  std::string words;        // computed from the card
};
// Takes the text form, or the bytes of a SignedCard themselves. InvalidArgument [NOT_A_CARD].
absl::StatusOr<CardFile> ParseCardFile(std::string_view file);

}  // namespace entente::service
