// What is wrong with a node, and the command that mends it: `entente node doctor`.
//
// Two steps, both pure: GatherFacts reads off the state what a check needs, Examine judges it. So
// each finding is tested by planting one fact (tests/node/core/doctor_test.cc). What only the
// machine knows (disk, files) is added by node/daemon/folder_doctor.h.
//
// A finding says what in one sentence, why in one, and names one command. It speaks of bodies,
// people and dates, so that an operator without any case rights may read it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "entente/v1/peer.pb.h"
#include "node/core/engine.h"

namespace entente::core {

struct State;

// From when on something is worth a line.
inline constexpr absl::Duration kSilentAfter = absl::Hours(24 * 3);
inline constexpr absl::Duration kRelayKeeps = absl::Hours(24 * 28);
inline constexpr absl::Duration kRelayWarning = absl::Hours(24 * 7);
inline constexpr absl::Duration kRefusalShown = absl::Hours(24 * 7);
inline constexpr absl::Duration kExpiryWarning = absl::Hours(24 * 30);
// A running node changes its keys every thirty days by itself.
inline constexpr absl::Duration kPeerUnchanged = absl::Hours(24 * 60);
inline constexpr absl::Duration kRotationGrace = absl::Hours(24 * 2);
inline constexpr absl::Duration kNewsTravels = absl::Hours(24 * 3);
inline constexpr absl::Duration kErasureAwaited = absl::Hours(24 * 7);
inline constexpr absl::Duration kTheftShown = absl::Hours(24 * 90);

struct DoctorFacts {
  enum class Road { kDirect, kRelay, kNone };
  struct Peer {
    std::string code;
    Road road = Road::kDirect;
    bool connected = false;
    bool agrees = true;  // both have said that neither has anything the other lacks
    bool relay_only = false;
    absl::Time last_contact = absl::InfinitePast();  // InfinitePast: never met
    absl::Time newest_stamp = absl::InfinitePast();  // of its signs of life, by its own clock
    absl::Time keys_since = absl::InfiniteFuture();  // when it last changed its keys, as heard here
    uint64_t waiting = 0;                            // entries it has not acknowledged
    bool shares_a_jit = false;
  };
  struct Refusal {
    std::string peer;  // code; "relay" for a relay
    bool by_peer = false;
    v1::RefusalCode code = v1::REFUSAL_CODE_UNSPECIFIED;
    absl::Time last;
    uint64_t count = 0;
  };
  struct Jit {
    std::string name;
    bool in_force = false;
    absl::Time period_to = absl::InfiniteFuture();
    std::vector<std::string> waiting_for;  // of a version that is being signed
  };
  struct Fork {
    std::string author;
    bool own = false;
    uint64_t held = 0;
    uint64_t counts = 0;  // entries that keep their effect
    bool over = false;    // written with keys, or by a body, that nothing is taken from any more
  };
  // A body that has said that its keys were in other hands for a time.
  struct Theft {
    std::string body;
    absl::Time from;
    absl::Time told;  // when it said so
  };
  struct Standing {
    std::string jit, party;
    bool excluded = false;
    std::vector<std::string> signed_by, waiting_for, suspended_by;
  };

  // An erasure that this body has ordered and that others have not confirmed.
  struct Erasure {
    std::string ref;
    absl::Time ordered;
    std::vector<std::string> waiting_for;
  };

  std::string self;
  uint32_t incarnation = 1;
  bool cloned = false;
  absl::Time newest_own_stamp = absl::InfinitePast();
  absl::Time own_keys_since = absl::InfiniteFuture();
  absl::Time next_rotation = absl::InfiniteFuture();
  std::vector<std::string> behind;    // do not know this node's latest keys yet
  std::vector<std::string> disputed;  // bodies with two different cards of one number
  uint64_t only_here = 0;
  std::set<std::string> locked_authors;  // parts of whose logs do not open here
  std::vector<Peer> peers;
  std::vector<Refusal> refusals;
  std::vector<Jit> jits;
  std::vector<Fork> forks;
  std::vector<Theft> thefts;
  std::vector<Standing> standings;
  std::vector<Erasure> erasures;
  uint64_t to_be_reviewed = 0;  // own items whose date has come
};

DoctorFacts GatherFacts(const State& state, absl::Time now);
// Worst first, then in the order of the checks.
std::vector<v1::Finding> Examine(const DoctorFacts& facts, absl::Time now);

v1::Finding MakeFinding(std::string code, v1::Severity severity, std::string what, std::string why,
                        std::string next);
// Worst first; findings of one severity keep their order.
void SortFindings(std::vector<v1::Finding>* findings);

absl::StatusOr<v1::DiagnoseResponse> Diagnose(State& state, absl::Time now, const Caller& caller,
                                              const v1::DiagnoseRequest& request);

}  // namespace entente::core
