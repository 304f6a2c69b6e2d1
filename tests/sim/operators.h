// What the people who run the nodes do between themselves, as docs/operating.md tells them to.
#pragma once

#include "tests/sim/world/world.h"

namespace entente::sim {

// The card that `from` shows now, given to the people of `to`.
void HandOverCard(World& world, Node& from, Node& to);

// New keys for a node that is switched off. False: its disk is in no state for that.
bool RenewKeys(World& world, Node& node, bool keep_tls);

// Whether `node` holds an older card of `other` than the one that it has now.
bool HoldsOldCard(World& world, Node& node, const Node& other);

// Two bodies exchange their card files again when one has heard nothing of the other for longer
// than old keys are kept, or ever; when it holds an older card; and when they are reached through a
// relay and one has come back without its keys.
void MeetWhoLostTouch(World& world);

// Every honest node reads its files again.
void ReadFilesAgain(World& world);

}  // namespace entente::sim
