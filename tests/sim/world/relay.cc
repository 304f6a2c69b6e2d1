#include "tests/sim/world/relay.h"

#include <utility>

#include "crypto/parcel_header.h"
#include "tests/sim/world/world.h"

namespace entente::sim {
namespace {

constexpr absl::Duration kRetention = absl::Hours(28 * 24);
constexpr absl::Duration kRetry = absl::Minutes(5);
constexpr size_t kOldMax = 200;

absl::Time SlotOf(absl::Time when) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(when) / 300 * 300);
}

}  // namespace

void Relays::Deposit(Node& from, const sync::ParcelOut& out) {
  seen_ += out.parcel;
  const absl::StatusOr<crypto::ParcelHeader> header = crypto::ParseParcelHeader(out.parcel);
  if (!header.ok()) return world_.Broken(Cat(from.code(), " deposits what is not a parcel"));
  deposits_.push_back({SlotOf(world_.now()), header->mailbox, out.parcel.size()});
  world_.After(absl::Milliseconds(2), [&from, peer = out.peer, seq = out.seq] {
    from.Give(sync::ParcelDeposited{peer, seq, absl::OkStatus()});
  });
  Node* to = world_.Find(out.peer);
  if (to == nullptr) return;
  const Faults& faults = world_.faults();
  Counters& count = world_.counters();
  if (old_.size() < kOldMax) old_.emplace_back(to->index, out.parcel);
  if (world_.Chance(faults.parcel_loss)) return count.Hit("parcel loss");
  if (world_.Chance(faults.parcel_twice)) {
    count.Hit("parcel twice");
    Carry(*to, out.parcel, absl::Milliseconds(50));
  }
  if (world_.Chance(faults.parcel_swap)) {
    count.Hit("parcel swap");
    Carry(*world_.nodes()[world_.Pick(world_.nodes().size())], out.parcel, absl::Seconds(1));
  }
  if (world_.Chance(faults.parcel_replay)) {
    count.Hit("parcel replay");
    const auto& [index, parcel] = old_[world_.Pick(old_.size())];
    Carry(*world_.nodes()[index], parcel, absl::Seconds(2));
  }
  absl::Duration delay = absl::Milliseconds(
      world_.setup().two_worlds ? 30 : 20 + static_cast<int64_t>(world_.Pick(50)));
  if (world_.Chance(faults.parcel_late)) {
    count.Hit("parcel late");
    delay += world_.Pick(8) == 0 ? absl::Hours(static_cast<int64_t>(world_.Pick(27 * 24)))
                                 : absl::Seconds(static_cast<int64_t>(world_.Pick(600)));
  }
  std::string parcel = out.parcel;
  if (world_.Chance(faults.parcel_damage)) {
    count.Hit("parcel damage");
    parcel[world_.Pick(parcel.size())] ^= static_cast<char>(1 << world_.Pick(8));
  }
  Carry(*to, std::move(parcel), delay);
}

void Relays::LoseEverything() { ++generation_; }

void Relays::Carry(Node& to, std::string parcel, absl::Duration delay) {
  Kept kept{&to, std::move(parcel), world_.now(), generation_};
  world_.After(delay, [this, kept = std::move(kept)] { Fetch(kept); });
}

// Handed over until the addressee has it durably; only then the relay forgets it.
void Relays::Fetch(const Kept& kept) {
  if (kept.generation != generation_) return world_.counters().Hit("parcel lost with its relay");
  if (world_.now() - kept.deposited > kRetention) {
    return world_.counters().Hit("parcel erased after 28 days");
  }
  Node& to = *kept.to;
  if (to.up() && !to.hostile && !world_.isolated(to)) {
    world_.Delivered(to, to, kept.parcel);
    const uint64_t boots = to.boots;
    to.Give(sync::ParcelReceived{kept.parcel});
    if (to.up() && to.boots == boots) return;
  }
  if (to.hostile) {
    to.heard += kept.parcel;
    return;
  }
  world_.After(kRetry, [this, kept] { Fetch(kept); });
}

}  // namespace entente::sim
