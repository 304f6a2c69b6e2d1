// What people do: each act is one client call by one person, with what it may reveal to whom
// written into the ledger first.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "entente/v1/client.pb.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world/world.h"

namespace entente::sim {

// The body that proposes and administers: the first of a Member State.
const std::string& HostOf(const Codes& parties);

class Acts {
 public:
  Acts(World& world, Ledger& ledger) : world_(world), ledger_(ledger) {}

  // ---- decisions
  void Propose(Node& node, const Codes& parties, const Codes& participants);
  void Sign(Node& node);
  void Reject(Node& node);
  // A successor of the version in force: another purpose, and perhaps one more party or a
  // controller for third-country data. Several at once are rivals.
  void Amend(Node& node, const std::string& admit = "", const std::string& controller = "");
  void Exclude(Node& node, const std::string& gone);
  void Suspend(Node& node, const std::string& whom, bool lift);

  // ---- records
  void Note(Node& node, const Codes& readers, int how_many = 1);
  void Evidence(Node& node, const Codes& readers, size_t bytes);
  void Task(Node& node, const std::string& to);
  void MoveTask(Node& node);
  void Line(Node& node, const Codes& readers);
  void Release(Node& node, const std::string& to);
  // An item of the body's own, wherever it is.
  void Erase(Node& node);

  // ---- keys
  // Another key to seal to; in haste when the last one may have been copied.
  void RotateKeys(Node& node, bool emergency);

  // One of them, drawn from the seed, by whoever the seed picks.
  void Any();

  // The bodies of the agreement that was proposed first, and those admitted since.
  const Codes& parties() const { return parties_; }
  const std::string& first_refusal() const { return first_refusal_; }
  // Whether `node` knows of an agreement in force.
  bool InForceAt(Node& node);

 private:
  template <class Response>
  void Write(Node& node, const std::string& method,
             std::shared_ptr<google::protobuf::Message> request, Promise promise,
             std::string counter, std::vector<core::UploadedFile> uploads = {});
  const Promise* OwnEvidence(const Node& node);
  std::shared_ptr<v1::ShowEvidenceResponse> Shown(Node& node, const Promise& promise);
  Codes SomeReaders(const Node& node);
  std::string OtherParty(const Node& node);
  std::string Key() { return world_.entropy().Bytes(16); }
  void Count(const core::Answer& answer, const std::string& counter);

  World& world_;
  Ledger& ledger_;
  Codes parties_;
  Codes participants_;
  std::string first_refusal_;
  std::map<std::pair<std::string, std::string>, uint64_t> suspensions_;  // asked for, or lifted
};

}  // namespace entente::sim
