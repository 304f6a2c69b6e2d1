#include "tests/sim/world/chaos.h"

#include <algorithm>
#include <utility>

#include "entente/v1/client.pb.h"
#include "tests/sim/operators.h"

namespace entente::sim {

void Chaos::Start(absl::Time until) {
  until_ = until;
  world_.After(beat_, [this] { Beat(); });
}

absl::Duration Chaos::Some(uint64_t beats) {
  return beat_ * (0.5 + static_cast<double>(world_.Pick(beats * 1000)) / 1000.0);
}

Node& Chaos::Any() { return *world_.nodes()[world_.Pick(world_.nodes().size())]; }

size_t Chaos::Other(const Node& node) {
  const size_t count = world_.nodes().size();
  return (node.index + 1 + world_.Pick(count - 1)) % count;
}

bool Chaos::Draw(double rate, std::string_view name) {
  if (!world_.Chance(rate)) return false;
  world_.counters().Hit(name);
  return true;
}

void Chaos::Beat() {
  if (world_.now() >= until_) return;
  NetworkFaults();
  Gathering();
  StorageFaults();
  ProcessFaults();
  ClockFaults();
  KeyFaults();
  ChunkRot();
  for (auto& node : world_.nodes()) {
    if (world_.Pick(12) == 0) node->MakeBackup();
  }
  world_.After(beat_, [this] { Beat(); });
}

void Chaos::NetworkFaults() {
  const Faults& faults = world_.faults();
  Network& net = world_.network();
  if (Draw(faults.partition, "partition")) {
    const size_t a = Any().index, b = Other(*world_.nodes()[a]);
    net.Cut(a, b);
    world_.After(Some(20), [&net, a, b] { net.Mend(a, b); });
  }
  if (Draw(faults.one_way, "one way")) {
    const size_t a = Any().index, b = Other(*world_.nodes()[a]);
    net.CutOneWay(a, b);
    world_.After(Some(5), [&net, a, b] { net.MendOneWay(a, b); });
  }
  if (Draw(faults.thin_line, "thin line")) {
    const size_t a = Any().index, b = Other(*world_.nodes()[a]);
    net.Thin(a, b, 1000.0 + static_cast<double>(world_.Pick(50'000)));
    world_.After(Some(5), [&net, a, b] { net.Thin(a, b, 1e9); });
  }
  if (Draw(faults.storm, "storm")) net.BreakAll();
  if (Draw(faults.relay_lost, "relay lost")) world_.relays().LoseEverything();
  if (Draw(faults.disk_parcel, "disk parcel")) DiskParcel();
}

// Faults that take more than two.
void Chaos::Gathering() {
  const Faults& faults = world_.faults();
  Network& net = world_.network();
  const size_t count = world_.nodes().size();
  if (Draw(faults.isolation, "isolation")) {
    Node& node = Any();
    world_.Isolate(node, true);
    world_.After(Some(40), [this, &node] { world_.Isolate(node, false); });
  }
  if (Draw(faults.split, "split")) {
    const size_t bridge = Any().index;
    std::vector<std::pair<size_t, size_t>> cuts;
    for (size_t a = 0; a < count; ++a) {
      for (size_t b = a + 1; b < count; ++b) {
        if (a % 2 != b % 2 && a != bridge && b != bridge) cuts.emplace_back(a, b);
      }
    }
    for (const auto& [a, b] : cuts) net.Cut(a, b);
    world_.After(Some(20), [&net, cuts] {
      for (const auto& [a, b] : cuts) net.Mend(a, b);
    });
  }
  if (Draw(faults.swizzle, "swizzle")) {
    const Node& node = Any();
    for (size_t other = 0; other < count; ++other) {
      if (other == node.index) continue;
      world_.After(Some(3), [&net, &node, other] { net.Cut(node.index, other); });
      world_.After(beat_ * 4 + Some(3), [&net, &node, other] { net.Mend(node.index, other); });
    }
  }
}

void Chaos::StorageFaults() {
  const Faults& faults = world_.faults();
  if (Draw(faults.disk_full, "disk full")) {
    Node& node = Any();
    node.disk_full_until = world_.now() + Some(10);
  }
  if (Draw(faults.slow_disk, "slow disk")) {
    Node& node = Any();
    node.disk_delay = absl::Milliseconds(static_cast<int64_t>(world_.Pick(3) == 0 ? 20'000 : 200));
    world_.After(Some(5), [&node] { node.disk_delay = absl::ZeroDuration(); });
  }
  if (Draw(faults.bit_rot, "bit rot")) {
    Node& node = Any();
    const DiskKv::Rows& rows = node.disk.kv.rows();
    if (!rows.empty()) {
      node.disk.kv.Rot(
          std::next(rows.begin(), static_cast<int64_t>(world_.Pick(rows.size())))->first);
    }
  }
  if (Draw(faults.store_lost, "store lost")) {
    Node& node = Any();
    node.LoseStore(world_.Pick(2) == 0);
    world_.After(Some(2), [&node] { node.Boot(); });
  }
  if (Draw(faults.old_backup, "old backup")) {
    Node& node = Any();
    node.RestoreBackup(world_.Pick(2) == 0);
    world_.After(Some(2), [&node] { node.Boot(); });
  }
}

// What no sound copy is left of cannot be mended; so it is never the last that rots.
void Chaos::ChunkRot() {
  if (!world_.Chance(world_.faults().chunk_rot)) return;
  Node& node = Any();
  auto& blobs = node.disk.blobs;
  if (blobs.empty()) return;
  const auto blob = std::next(blobs.begin(), static_cast<int64_t>(world_.Pick(blobs.size())));
  if (blob->second.chunks.empty()) return;
  auto& chunks = blob->second.chunks;
  const auto chunk = std::next(chunks.begin(), static_cast<int64_t>(world_.Pick(chunks.size())));
  const std::string sound = chunk->second;
  for (const auto& other : world_.nodes()) {
    if (other->index == node.index || other->code() == world_.setup().will_turn) continue;
    const auto theirs = other->disk.blobs.find(blob->first);
    if (theirs == other->disk.blobs.end() || theirs->second.chunks.size() != theirs->second.count ||
        theirs->second.chunks.at(chunk->first) != sound) {
      continue;
    }
    chunk->second.front() ^= 1;
    return world_.counters().Hit("chunk rot");
  }
}

void Chaos::ProcessFaults() {
  const Faults& faults = world_.faults();
  if (Draw(faults.pause, "pause")) {
    const absl::Duration drawn = absl::Seconds(1 + static_cast<int64_t>(world_.Pick(7200)));
    Any().Pause(std::min(drawn, until_ - world_.now()));
  }
  if (Draw(faults.restart_loop, "restart loop")) {
    Node& node = Any();
    for (int i = 0; i < 5; ++i) {
      world_.After(absl::Seconds(2 * i), [&node] { node.Crash(absl::Seconds(1)); });
    }
  }
}

void Chaos::KeyFaults() {
  if (!world_.Chance(world_.faults().renewal)) return;
  Node& node = Any();
  if (node.code() == world_.setup().will_turn || node.home || !node.up()) return;
  node.PowerOff();
  const bool keep_tls = world_.Pick(2) == 0;
  world_.After(Some(1), [this, &node, keep_tls] {
    if (RenewKeys(world_, node, keep_tls)) world_.counters().Hit("renewal");
    node.Boot();
    if (keep_tls) return;
    for (auto& other : world_.nodes()) {
      if (other.get() == &node) continue;
      world_.After(Some(10), [this, &node, &other = *other] { HandOverCard(world_, node, other); });
    }
  });
}

void Chaos::ClockFaults() {
  const Faults& faults = world_.faults();
  const auto told = [](Node& node) { node.Give(sync::Tick{}); };
  if (Draw(faults.clock_jump, "clock jump")) {
    Node& node = Any();
    static constexpr int64_t kFar[] = {10, 3600, 86400, 86400 * 30, 86400 * 365};
    const int64_t by = kFar[world_.Pick(5)];
    node.clock.Jump(absl::Seconds(world_.Pick(2) == 0 ? by : -by));
    told(node);
  }
  if (Draw(faults.clock_stop, "clock stop")) {
    Node& node = Any();
    node.clock.Stop(world_.now());
    world_.After(Some(10), [this, &node] { node.clock.Go(world_.now()); });
  }
  if (Draw(faults.clock_drift, "clock drift")) {
    Any().clock.Drift(world_.now(), (static_cast<double>(world_.Pick(2001)) - 1000.0) / 10'000.0);
  }
  if (Draw(faults.clock_strobe, "clock strobe")) {
    Node& node = Any();
    for (int i = 0; i < 40; ++i) {
      world_.After(absl::Milliseconds(100 * i), [&node, i, told] {
        node.clock.Jump(absl::Seconds(i % 2 == 0 ? 200 : -200));
        told(node);
      });
    }
  }
}

// Somebody carries a disk: it may be lost, arrive months late, twice, cut short, or elsewhere.
void Chaos::DiskParcel() {
  Node& from = Any();
  Node& to = *world_.nodes()[Other(from)];
  auto request = std::make_shared<v1::ExportParcelRequest>();
  request->set_to(to.code());
  const auto out =
      world_.Ask<v1::ExportParcelResponse>(from, "/entente.v1.SyncService/ExportParcel", request);
  if (out == nullptr) return;
  const uint64_t fate = world_.Pick(6);
  for (const std::string& parcel : out->parcels()) {
    if (fate == 0) continue;
    std::string bytes = parcel;
    if (fate == 1) bytes.resize(bytes.size() / 2);
    Node& reader = fate == 2 ? Any() : to;
    for (int copy = 0; copy < (fate == 3 ? 2 : 1); ++copy) {
      world_.After(Some(fate == 4 ? 40 : 4), [this, &reader, bytes] {
        auto import = std::make_shared<v1::ImportParcelRequest>();
        import->set_parcel(bytes);
        if (reader.up()) world_.Delivered(reader, reader, bytes);
        world_.Call(reader, "/entente.v1.SyncService/ImportParcel", import,
                    [this](const core::Answer& answer, const Rows&) {
                      world_.counters().Hit(answer.status.ok() ? "disk parcel read"
                                                               : "disk parcel refused");
                    });
      });
    }
  }
}

}  // namespace entente::sim
