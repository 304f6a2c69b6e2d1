// One promise, one checker, one file. A checker looks at a federation at rest, when faults have
// ended and everybody has had time, and says what is broken; an empty string when nothing is.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tests/sim/checkers/everything.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world/world.h"

namespace entente::sim {

struct Inspection {
  World& world;
  Ledger& ledger;
  Everything all;

  Inspection(World& world_in, Ledger& ledger_in)
      : world(world_in), ledger(ledger_in), all(world_in) {}
};

std::string LogsVerify(Inspection& in);
std::string ViewsConverge(Inspection& in);
std::string EntriesArrive(Inspection& in);
std::string NothingIsLost(Inspection& in);
std::string ErasedStaysErased(Inspection& in);
std::string TextsStayInside(Inspection& in);
std::string ExistenceStaysInside(Inspection& in);
std::string KeysOpenWhatIsAllowed(Inspection& in);
std::string NothingForTheExcluded(Inspection& in);
std::string OneSuccessor(Inspection& in);
std::string OneConfirmEver(Inspection& in);
std::string ReferencesStayInside(Inspection& in);
std::string NoncesAreFresh(Inspection& in);
std::string ForksAreProven(Inspection& in);
std::string RelaysKnowNothing(Inspection& in);

struct Checker {
  std::string_view name;
  std::string_view promise;  // the sentence of the design
  std::string (*check)(Inspection&);
};

std::span<const Checker> AllCheckers();

// The first promise that does not hold, with the checker's name; empty when all do.
std::string CheckAll(World& world, Ledger& ledger);

}  // namespace entente::sim
