// What a record is called, and by whom alone: its id follows from its owner and a key that the
// owner draws. Whoever has read a record knows its id; were an id just a number, he could open a
// record of his own under it before those who have not seen the true one, and theirs would be
// refused when it comes. The key travels in the Create, and in the snapshot of every Release.
#pragma once

#include <cstdint>
#include <string_view>

#include "crypto/bytes.h"
#include "entente/v1/entry.pb.h"
#include "sync/entry_types.h"

namespace entente::sync {

// The first 16 bytes of H("record", jit, u32 kind, owner, blind_key[32]).
RecordId RecordIdOf(const JitId& jit, uint32_t kind, const PartyId& owner,
                    std::string_view blind_key);

// Whether this body, signed by `author`, begins the record that it names: a Create, the Release by
// which its readers get it, or the Erase that is all that is left of it, of an id that is its
// author's.
bool Founds(const JitId& jit, const PartyId& author, const v1::EntryBody& body);

}  // namespace entente::sync
