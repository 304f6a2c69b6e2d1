#include "node/model/record_id.h"

#include "crypto/hash.h"

namespace entente::model {
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
  if (!body.has_create() && !body.has_release()) return false;
  const std::string& key =
      body.has_create() ? body.create().blind_key() : body.release().snapshot().blind_key();
  return key.size() == kBlindKeyBytes &&
         body.record_id() == RecordIdOf(jit, body.kind(), author, key).view();
}

}  // namespace entente::model
