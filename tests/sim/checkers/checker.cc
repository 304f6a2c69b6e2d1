#include "tests/sim/checkers/checker.h"

namespace entente::sim {
namespace {

constexpr Checker kCheckers[] = {
    {"logs verify", "every stored log adds up to its author's signed head", LogsVerify},
    {"entries arrive", "when partitions heal, every audience member has every entry",
     EntriesArrive},
    {"views converge", "same entries, same records, in every arrival order", ViewsConverge},
    {"nothing is lost", "no acknowledged entry is lost: any crash, cut, restart", NothingIsLost},
    {"erased stays erased", "an erased body is nowhere on an honest node and never returns",
     ErasedStaysErased},
    {"texts stay inside", "what a node can derive is within what it may", TextsStayInside},
    {"existence stays inside", "to an outsider a log does not exist", ExistenceStaysInside},
    {"keys open what is allowed", "every key on every ciphertext: opens if and only if it may",
     KeysOpenWhatIsAllowed},
    {"relays know nothing", "mailbox, bucket and time slot", RelaysKnowNothing},
    {"nothing for the excluded", "after exclusion its whole state opens nothing newer",
     NothingForTheExcluded},
    {"one successor", "at most one successor of a version is ever in force", OneSuccessor},
    {"one confirm ever", "no node confirms two successors of one predecessor", OneConfirmEver},
    {"references stay inside", "based_on names only logs whose audience contains the entry's own",
     ReferencesStayInside},
    {"nonces are fresh", "no nonce seals two texts", NoncesAreFresh},
    {"forks are proven", "two conflicting heads always yield a proof that others verify",
     ForksAreProven},
};

}  // namespace

std::span<const Checker> AllCheckers() { return kCheckers; }

std::string CheckAll(World& world, Ledger& ledger) {
  if (!world.broken().empty()) return Cat("while it ran: ", world.broken());
  Inspection in(world, ledger);
  for (const Checker& checker : kCheckers) {
    const std::string problem = checker.check(in);
    if (!problem.empty()) return Cat(checker.name, ": ", problem);
    world.counters().Hit(Cat("checked: ", checker.name));
  }
  return world.broken().empty() ? "" : Cat("while it was checked: ", world.broken());
}

}  // namespace entente::sim
