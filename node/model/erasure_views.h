// What people see of a record that was erased: who has destroyed it, and whom the order has not
// reached yet.
#pragma once

#include <functional>

#include "entente/v1/client.pb.h"
#include "node/model/directory.h"
#include "node/model/record.h"

namespace entente::model {

// Whether an entry is known to have come to a body.
using Reached = std::function<bool(const sync::EntryRef&, const PartyId&)>;

// `folded` has an erasure. A body has confirmed once it has answered for every order that was
// addressed to it.
v1::ErasureView ViewErasure(const Folded& folded, const Directory& directory,
                            const Reached& reached);

}  // namespace entente::model
