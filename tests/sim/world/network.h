// Streams between nodes: ordered, reliable until they break, and they break. Who dials whom follows
// from the engine's own list of peers, as in the daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "sync/effects.h"

namespace entente::sim {

class World;
class Node;

class Network {
 public:
  explicit Network(World& world) : world_(world) {}

  void Booted(Node& node);
  void Dropped(Node& node);
  void Send(Node& from, const sync::FrameOut& frame);
  void Close(sync::SessionId id);
  // A connection that no simulated node stands behind, for hostile ones: the victim's session id, 0
  // when it is down. `mouth` is given what the victim says, and null when it hangs up.
  using Mouth = std::function<void(const v1::Frame*)>;
  sync::SessionId OpenFor(Node& victim, const PartyId& as, const Hash& spki, Mouth mouth);
  void Say(Node& victim, sync::SessionId session, v1::Frame frame);

  // ---- faults. Cuts are counted, so that two that overlap both have to end.
  void Cut(size_t a, size_t b);
  void Mend(size_t a, size_t b);
  void CutOneWay(size_t from, size_t to);
  void MendOneWay(size_t from, size_t to);
  void BreakAll();
  void BreakLinksOf(const Node& node);
  void Thin(size_t a, size_t b, double bytes_per_second) { thin_[Pair(a, b)] = bytes_per_second; }
  void MendAll();
  bool Reachable(size_t a, size_t b) const { return !cuts_.contains(Pair(a, b)); }

 private:
  struct Session {
    Node* a;
    Node* b;
    sync::SessionId a_id, b_id;
    absl::Time a_free, b_free;  // frames keep their order
    absl::Time opened;
    bool stalled = false;
  };
  using Key = std::pair<size_t, size_t>;
  static Key Pair(size_t a, size_t b) { return std::minmax(a, b); }
  void DialLater(Node& from, Node& to, absl::Duration after);
  void Dial(Node& from, Node& to);
  void Open(Node& from, Node& to, bool stalled);
  bool Connected(const Node& a, const Node& b) const;
  absl::Duration BackOff(const Key& pair);  // one more attempt has failed
  absl::Duration Latency(const Session& session);
  absl::Duration OnTheLine(const Session& session, size_t bytes) const;
  void CloseWhere(const std::function<bool(const Session&)>& which);

  World& world_;
  std::map<sync::SessionId, std::shared_ptr<Session>> sessions_;
  std::map<sync::SessionId, Mouth> mouths_;
  sync::SessionId next_ = 1;
  std::map<Key, int> cuts_;
  std::map<Key, int> one_way_;  // from, to
  std::map<Key, double> thin_;
  std::map<Key, int> failures_;
  std::set<Key> dialling_;
};

}  // namespace entente::sim
