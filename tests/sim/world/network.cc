#include "tests/sim/world/network.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "tests/sim/world/world.h"

namespace entente::sim {
namespace {

constexpr absl::Duration kRedialMin = absl::Seconds(2);
constexpr absl::Duration kRedialMax = absl::Minutes(10);
// A session that ends sooner was no success: the next attempt waits longer.
constexpr absl::Duration kShortLived = absl::Minutes(1);
// The transport's keepalive gives a silent connection this long.
constexpr absl::Duration kKeepalive = absl::Seconds(40);

// What a node of the next version says beside what this one understands.
void AddFromTomorrow(v1::Frame& frame) {
  const auto add = [](google::protobuf::Message& message) {
    auto* unknown = message.GetReflection()->MutableUnknownFields(&message);
    unknown->AddLengthDelimited(1000, "of the next version");
    unknown->AddVarint(1001, 7);
  };
  if (frame.has_hello()) {
    frame.mutable_hello()->set_version_max(sync::kProtocolVersion + 1);
    add(*frame.mutable_hello());
  }
  if (frame.has_heads()) {
    for (v1::Head& head : *frame.mutable_heads()->mutable_heads()) add(head);
  }
  if (frame.has_batch()) add(*frame.mutable_batch());
  if (frame.has_cosign()) add(*frame.mutable_cosign());
  add(frame);
}

}  // namespace

void Network::Booted(Node& node) {
  for (const core::Engine::Peer& peer : node.peers()) {
    Node* other = world_.Find(peer.party);
    if (other == nullptr || peer.through_relay) continue;
    failures_.erase(Pair(node.index, other->index));
    if (peer.dial) DialLater(node, *other, absl::Milliseconds(10));
    // A node that cannot be dialled hears of the other's return by its own next attempt.
    if (!peer.dial && other->up()) DialLater(*other, node, kRedialMin);
  }
}

void Network::DialLater(Node& from, Node& to, absl::Duration after) {
  if (!dialling_.insert({from.index, to.index}).second) return;
  world_.After(after, [this, &from, &to] {
    dialling_.erase({from.index, to.index});
    Dial(from, to);
  });
}

bool Network::Connected(const Node& a, const Node& b) const {
  for (const auto& [id, session] : sessions_) {
    if ((session->a == &a && session->b == &b) || (session->a == &b && session->b == &a)) {
      return true;
    }
  }
  return false;
}

void Network::Dial(Node& from, Node& to) {
  if (!from.up() || Connected(from, to)) return;
  const auto wanted = std::any_of(
      from.peers().begin(), from.peers().end(),
      [&to](const core::Engine::Peer& peer) { return peer.party == to.who.party && peer.dial; });
  if (!wanted) return;
  if (!to.up() || to.hostile || !Reachable(from.index, to.index)) {
    return DialLater(from, to, BackOff(Pair(from.index, to.index)));
  }
  if (world_.Chance(world_.faults().impostor)) {
    // The address leads to another node, which has its own key: the dialler must hang up.
    world_.counters().Hit("impostor");
    Node& other = *world_.nodes()[world_.Pick(world_.nodes().size())];
    const sync::SessionId id = next_++;
    from.Give(sync::SessionOpened{id, to.who.party, other.who.spki, true});
    from.Give(sync::SessionClosed{id, "another key than the card's"});
    return DialLater(from, to, kRedialMin);
  }
  const bool stalled = world_.Chance(world_.faults().stall);
  if (stalled) world_.counters().Hit("stall");
  Open(from, to, stalled);
}

absl::Duration Network::BackOff(const Key& pair) {
  int& failures = failures_[pair];
  failures = std::min(failures + 1, 9);
  return std::min(kRedialMax, kRedialMin * (1 << failures));
}

void Network::Open(Node& from, Node& to, bool stalled) {
  auto session = std::make_shared<Session>();
  session->opened = world_.now();
  session->a = &from;
  session->b = &to;
  session->a_id = next_++;
  session->b_id = next_++;
  session->a_free = session->b_free = world_.now();
  session->stalled = stalled;
  sessions_[session->a_id] = session;
  sessions_[session->b_id] = session;
  from.Give(sync::SessionOpened{session->a_id, to.who.party, to.who.spki, true});
  to.Give(sync::SessionOpened{session->b_id, from.who.party, from.who.spki, false});
}

// How long a frame is on its way; one that follows a larger one waits for it.
absl::Duration Network::Latency(const Session& session) {
  if (world_.setup().two_worlds) {
    const auto pair = static_cast<int64_t>(session.a->index * 16 + session.b->index);
    return absl::Milliseconds(1 + pair) + absl::Nanoseconds(401 * pair);
  }
  absl::Duration out = absl::Microseconds(50 + static_cast<int64_t>(world_.Pick(5000)));
  if (world_.Chance(world_.faults().slow_frame)) {
    world_.counters().Hit("slow frame");
    const uint64_t most = world_.Pick(10) == 0 ? 240'000 : 2000;
    out += absl::Milliseconds(static_cast<int64_t>(world_.Pick(most)));
  }
  return out;
}

absl::Duration Network::OnTheLine(const Session& session, size_t bytes) const {
  const auto thin = thin_.find(Pair(session.a->index, session.b->index));
  if (thin == thin_.end()) return absl::ZeroDuration();
  return absl::Seconds(static_cast<double>(bytes) / thin->second);
}

void Network::Send(Node& from, const sync::FrameOut& out) {
  if (const auto mouth = mouths_.find(out.session); mouth != mouths_.end()) {
    return mouth->second(&out.frame);
  }
  const auto it = sessions_.find(out.session);
  if (it == sessions_.end()) return;
  const std::shared_ptr<Session> session = it->second;
  const bool to_b = session->a == &from;
  Node& to = to_b ? *session->b : *session->a;
  const sync::SessionId to_id = to_b ? session->b_id : session->a_id;
  world_.SawFrame(from, to, out.frame);
  if (session->stalled || one_way_.contains({from.index, to.index})) {
    // Nothing comes through. The transport notices in the end.
    world_.After(kKeepalive, [this, to_id] { Close(to_id); });
    return;
  }
  if (world_.Chance(world_.faults().cut)) {
    world_.counters().Hit("cut");
    return Close(out.session);
  }
  std::string bytes = out.frame.SerializeAsString();
  if (from.speaks_next) {
    v1::Frame richer = out.frame;
    AddFromTomorrow(richer);
    bytes = richer.SerializeAsString();
  }
  absl::Time& free = to_b ? session->b_free : session->a_free;
  free = std::max(free + OnTheLine(*session, bytes.size()), world_.now() + Latency(*session));
  world_.At(free, [this, &from, &to, to_id, bytes = std::move(bytes)] {
    if (!sessions_.contains(to_id) || !to.up()) return;
    world_.Delivered(from, to, bytes);
    v1::Frame frame;
    if (!frame.ParseFromString(bytes)) return;
    if (frame.has_chunk() && world_.Chance(world_.faults().bad_read)) {
      world_.counters().Hit("bad read");
      if (!frame.chunk().sealed().empty()) frame.mutable_chunk()->mutable_sealed()->front() ^= 1;
    }
    to.Give(sync::FrameReceived{to_id, std::move(frame)});
  });
}

void Network::Close(sync::SessionId id) {
  if (const auto mouth = mouths_.find(id); mouth != mouths_.end()) {
    mouth->second(nullptr);
    mouths_.erase(mouth);
    return;
  }
  const auto it = sessions_.find(id);
  if (it == sessions_.end()) return;
  const std::shared_ptr<Session> session = it->second;
  sessions_.erase(session->a_id);
  sessions_.erase(session->b_id);
  // Both ends notice, each in its own time; never from inside the step that closed it.
  world_.After(absl::Microseconds(1), [session] {
    session->a->Give(sync::SessionClosed{session->a_id, "cut"});
  });
  world_.After(absl::Milliseconds(1), [session] {
    session->b->Give(sync::SessionClosed{session->b_id, "cut"});
  });
  const Key pair = Pair(session->a->index, session->b->index);
  absl::Duration wait = kRedialMin;
  if (world_.now() - session->opened < kShortLived) {
    wait = BackOff(pair);
  } else {
    failures_.erase(pair);
  }
  DialLater(*session->a, *session->b, wait);
  DialLater(*session->b, *session->a, wait);
}

void Network::CloseWhere(const std::function<bool(const Session&)>& which) {
  std::vector<sync::SessionId> ids;
  for (const auto& [id, session] : sessions_) {
    if (id == session->a_id && which(*session)) ids.push_back(id);
  }
  for (const sync::SessionId id : ids) Close(id);
}

void Network::Dropped(Node& node) { BreakLinksOf(node); }
void Network::BreakAll() {
  CloseWhere([](const Session&) { return true; });
}
void Network::BreakLinksOf(const Node& node) {
  CloseWhere([&node](const Session& s) { return s.a == &node || s.b == &node; });
}

void Network::Cut(size_t a, size_t b) {
  ++cuts_[Pair(a, b)];
  CloseWhere([a, b](const Session& s) { return Pair(s.a->index, s.b->index) == Pair(a, b); });
}

void Network::Mend(size_t a, size_t b) {
  const auto it = cuts_.find(Pair(a, b));
  if (it == cuts_.end() || --it->second > 0) return;
  cuts_.erase(it);
  failures_.erase(Pair(a, b));
  DialLater(*world_.nodes()[a], *world_.nodes()[b], kRedialMin);
  DialLater(*world_.nodes()[b], *world_.nodes()[a], kRedialMin);
}

void Network::CutOneWay(size_t from, size_t to) { ++one_way_[{from, to}]; }
void Network::MendOneWay(size_t from, size_t to) {
  const auto it = one_way_.find({from, to});
  if (it != one_way_.end() && --it->second <= 0) one_way_.erase(it);
}

void Network::MendAll() {
  cuts_.clear();
  one_way_.clear();
  thin_.clear();
  failures_.clear();
  CloseWhere([](const Session& s) { return s.stalled; });
  for (auto& node : world_.nodes()) {
    if (node->up()) Booted(*node);
  }
}

sync::SessionId Network::OpenFor(Node& victim, const PartyId& as, const Hash& spki, Mouth mouth) {
  if (!victim.up()) return 0;
  const sync::SessionId id = next_++;
  mouths_[id] = std::move(mouth);
  victim.Give(sync::SessionOpened{id, as, spki, false});
  return id;
}

void Network::Say(Node& victim, sync::SessionId session, v1::Frame frame) {
  if (!victim.up() || !mouths_.contains(session)) return;
  world_.CountDelivery();
  victim.Give(sync::FrameReceived{session, std::move(frame)});
}

}  // namespace entente::sim
