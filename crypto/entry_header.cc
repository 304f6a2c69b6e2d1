#include "crypto/entry_header.h"

#include "crypto/hash.h"

namespace entente::crypto {

std::string EntryHeader::Part() const {
  std::string out;
  out.reserve(kHeaderBytes);
  AppendU8(&out, version);
  AppendU8(&out, type);
  AppendU16(&out, 0);
  AppendU32(&out, epoch);
  AppendU64(&out, index);
  AppendU32(&out, body_size);
  out.append(log_id.view());
  return out;
}

std::string EntryHeader::Encode() const {
  std::string out = Part();
  out.append(body_hash.view());
  return out;
}

Hash LeafHash(const EntryHeader& header) {
  return Sha256({std::string_view("\0", 1), header.Encode()});
}

}  // namespace entente::crypto
