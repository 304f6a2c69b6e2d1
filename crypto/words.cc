#include "crypto/words.h"

#include "crypto/hash.h"

namespace entente::crypto {
namespace {

constexpr std::string_view kConsonants = "bdfghjklmnprstvz";  // sixteen
constexpr std::string_view kVowels = "aiou";                  // four

std::string Word(uint16_t bits) {
  std::string out;
  out.push_back(kConsonants[bits >> 12 & 15]);
  out.push_back(kVowels[bits >> 10 & 3]);
  out.push_back(kConsonants[bits >> 6 & 15]);
  out.push_back(kVowels[bits >> 4 & 3]);
  out.push_back(kConsonants[bits & 15]);
  return out;
}

}  // namespace

std::string WordString(const PartyId& party) {
  const Hash hash = H("card", {party.view()});
  ByteReader reader(hash.view());
  std::string out;
  for (size_t i = 0; i < kWordCount; ++i) {
    if (i > 0) out.push_back('-');
    out.append(Word(*reader.ReadU16()));
  }
  return out;
}

std::string NormalizeWords(std::string_view typed) {
  std::string out;
  for (const char c : typed) {
    if (c == ' ' || c == '-' || c == '.' || c == ',' || c == '\t' || c == '\n' || c == '\r') {
      if (!out.empty() && out.back() != '-') out.push_back('-');
    } else {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
  }
  if (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

}  // namespace entente::crypto
