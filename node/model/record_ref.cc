#include "node/model/record_ref.h"

#include "crypto/hash.h"

namespace entente::model {

std::string RecordRef(const Kind& kind, const RecordId& id) {
  static constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const Hash hash = crypto::Sha256(id.view());
  uint64_t bits = *ByteReader(hash.view()).ReadU64() >> 34;  // the first 30 bits
  std::string out = {kind.ref_letter(), '-'};
  for (int i = 5; i >= 0; --i) out.push_back(kDigits[bits >> (5 * i) & 31]);
  return out;
}

std::string NormalizeRef(std::string_view typed) {
  std::string out;
  for (const char c : typed) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const bool letter_of_kind = out.empty();
    out.push_back(letter_of_kind                 ? upper
                  : upper == 'O'                 ? '0'
                  : upper == 'I' || upper == 'L' ? '1'
                                                 : upper);
  }
  return out;
}

}  // namespace entente::model
