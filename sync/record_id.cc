#include "sync/record_id.h"

#include "crypto/hash.h"

namespace entente::sync {
namespace {

constexpr size_t kBlindKeyBytes = 32;

}  // namespace

RecordId RecordIdOf(const JitId& jit, uint32_t kind, const PartyId& owner,
                    std::string_view blind_key) {
  std::string number;
  AppendU32(&number, kind);
  const Hash full = crypto::H("record", {jit.view(), number, owner.view(), blind_key});
  return *RecordId::From(full.view().substr(0, RecordId::kSize));
}

bool Founds(const JitId& jit, const PartyId& author, const v1::EntryBody& body) {
  if (!body.has_create() && !body.has_release() && !body.has_erase()) return false;
  const std::string& key = body.has_create()    ? body.create().blind_key()
                           : body.has_release() ? body.release().snapshot().blind_key()
                                                : body.erase().blind_key();
  return key.size() == kBlindKeyBytes &&
         body.record_id() == RecordIdOf(jit, body.kind(), author, key).view();
}

}  // namespace entente::sync
