// What one node shows of all records and agreements, without what is a node's own by nature: the
// state of files, and what a new reader cannot know of the time before it was one.
#pragma once

#include <map>
#include <string>

#include "entente/v1/client.pb.h"
#include "tests/sim/world/world.h"

namespace entente::sim {

// By record id. Empty when the node is off.
std::map<std::string, v1::RecordView> RecordsShown(World& world, Node& node);
// By proposal: its state, and who has been excluded.
std::map<std::string, std::string> AgreementsShown(World& world, Node& node);

}  // namespace entente::sim
