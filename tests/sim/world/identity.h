// Who a simulated body is: its keys, its card, its kind.
#pragma once

#include <memory>
#include <string>

#include "crypto/keystore.h"
#include "entente/v1/card.pb.h"

namespace entente::sim {

struct BodyPlan {
  std::string code;  // "XA"; "EJ" is Eurojust, "TC" a third country
  bool relay_only = false;
  bool listens = true;  // false: dials others, cannot be dialled
  int relays = 1;
};

struct Identity {
  BodyPlan plan;
  crypto::PartyRoot root;
  std::shared_ptr<crypto::NodeKeys> keys;
  PartyId party;
  Hash spki;
  v1::NodeCard card;
  v1::SignedCard signed_card;
};

Identity MakeIdentity(const BodyPlan& plan, int64_t issued, Entropy& entropy);

}  // namespace entente::sim
