#include "node/service/card_file.h"

#include <utility>

#include "crypto/bytes.h"
#include "crypto/words.h"
#include "node/service/errors.h"

namespace entente::service {
namespace {

constexpr std::string_view kMagic = "entente-card-1";
constexpr std::string_view kCardLine = "card: ";

absl::Status NotACard(std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument,
               {.what = "this is not a node card",
                .code = "NOT_A_CARD",
                .why = why,
                .next = "ask the other body for the file that `entente node card show` prints"});
}

absl::StatusOr<CardFile> FromSignedBytes(std::string_view bytes) {
  CardFile out;
  v1::SignedCard parsed;
  if (!parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      parsed.card().empty() || !out.card.ParseFromString(parsed.card())) {
    return NotACard("The bytes in it cannot be read; a part may be missing.");
  }
  const absl::StatusOr<PartyId> party = PartyId::From(out.card.party());
  if (!party.ok()) return NotACard("It does not name a body.");
  out.signed_card = std::string(bytes);
  out.words = crypto::WordString(*party);
  return out;
}

// One line each, whatever the card says: the text must not be able to forge another line.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  return line;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

absl::StatusOr<std::string> EncodeCardFile(std::string_view signed_card) {
  const absl::StatusOr<CardFile> card = FromSignedBytes(signed_card);
  if (!card.ok()) return card.status();
  return Cat(kMagic, "\ncode: ", OneLine(card->card.code()), "\nname: ", OneLine(card->card.name()),
             "\nwords: ", card->words, "\n", kCardLine, Base64Encode(signed_card), "\n");
}

absl::StatusOr<CardFile> ParseCardFile(std::string_view file) {
  if (file.substr(0, kMagic.size()) != kMagic) return FromSignedBytes(file);
  size_t at = 0;
  while (at < file.size()) {
    const size_t end = std::min(file.find('\n', at), file.size());
    const std::string_view line = file.substr(at, end - at);
    if (line.substr(0, kCardLine.size()) == kCardLine) {
      const absl::StatusOr<std::string> bytes = Base64Decode(Trim(line.substr(kCardLine.size())));
      if (!bytes.ok()) return NotACard("Its last line is damaged.");
      return FromSignedBytes(*bytes);
    }
    at = end + 1;
  }
  return NotACard("Its last line is missing.");
}

}  // namespace entente::service
