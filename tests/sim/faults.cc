#include "tests/sim/faults.h"

#include <random>

namespace entente::sim {
namespace {

constexpr FaultRow kRows[] = {
    {"cut", "N4", Per::kFrame, &Faults::cut, 0.02},
    {"slow frame", "N1", Per::kFrame, &Faults::slow_frame, 0.01},
    {"impostor", "N7", Per::kDial, &Faults::impostor, 0.1},
    {"stall", "N5", Per::kDial, &Faults::stall, 0.1},
    {"parcel loss", "N1 N8", Per::kParcel, &Faults::parcel_loss, 0.3},
    {"parcel twice", "N1 N8", Per::kParcel, &Faults::parcel_twice, 0.5},
    {"parcel late", "N1 N8", Per::kParcel, &Faults::parcel_late, 0.2},
    {"parcel swap", "N8", Per::kParcel, &Faults::parcel_swap, 0.2},
    {"parcel damage", "N8", Per::kParcel, &Faults::parcel_damage, 0.1},
    {"parcel replay", "N8 B2", Per::kParcel, &Faults::parcel_replay, 0.1},
    {"partition", "N2", Per::kBeat, &Faults::partition, 0.1},
    {"one way", "N2", Per::kBeat, &Faults::one_way, 0.08},
    {"isolation", "N2", Per::kBeat, &Faults::isolation, 0.04},
    {"split", "N2", Per::kBeat, &Faults::split, 0.03},
    {"swizzle", "N3", Per::kBeat, &Faults::swizzle, 0.03},
    {"storm", "N3", Per::kBeat, &Faults::storm, 0.05},
    {"thin line", "N6", Per::kBeat, &Faults::thin_line, 0.04},
    {"relay lost", "N8", Per::kBeat, &Faults::relay_lost, 0.03},
    {"disk parcel", "N9", Per::kBeat, &Faults::disk_parcel, 0.1},
    {"crash", "S1 P1", Per::kStep, &Faults::crash, 0.003},
    {"torn commit", "S2", Per::kStep, &Faults::torn_commit, 0.001},
    {"sync error", "S3", Per::kStep, &Faults::sync_error, 0.001},
    {"lost tail", "S4", Per::kStep, &Faults::lost_tail, 0.3},
    {"bad read", "S5", Per::kStep, &Faults::bad_read, 0.05},
    {"disk full", "S6", Per::kBeat, &Faults::disk_full, 0.02},
    {"slow disk", "S7", Per::kBeat, &Faults::slow_disk, 0.04},
    {"bit rot", "S5", Per::kBeat, &Faults::bit_rot, 0.01},
    {"store lost", "S9", Per::kBeat, &Faults::store_lost, 0.006},
    {"old backup", "S9 S10", Per::kBeat, &Faults::old_backup, 0.01},
    {"pause", "P1 C2", Per::kBeat, &Faults::pause, 0.05},
    {"restart loop", "P1", Per::kBeat, &Faults::restart_loop, 0.02},
    {"double click", "P4", Per::kStep, &Faults::double_click, 0.3},
    {"clock jump", "C1", Per::kBeat, &Faults::clock_jump, 0.02},
    {"clock stop", "C1", Per::kBeat, &Faults::clock_stop, 0.01},
    {"clock drift", "C1", Per::kBeat, &Faults::clock_drift, 0.02},
    {"clock strobe", "C1", Per::kBeat, &Faults::clock_strobe, 0.01},
    {"renewal", "(f) 4", Per::kBeat, &Faults::renewal, 0.01},
    {"clock skew", "C1 C3", Per::kNode, &Faults::clock_skew, 1},
    {"next version", "P3", Per::kNode, &Faults::next_version, 1},
    {"chunk rot", "S5", Per::kBeat, &Faults::chunk_rot, 0.03},
};

}  // namespace

std::span<const FaultRow> AllFaults() { return kRows; }

Faults DrawFaults(uint64_t seed, const std::set<std::string>& without) {
  std::mt19937_64 dice(seed * 0x9E3779B97F4A7C15u + 1);
  Faults out;
  for (const FaultRow& row : kRows) {
    const bool on = (dice() >> 20 & 1) == 1;
    const double share = static_cast<double>(1 + dice() % 1000) / 1000.0;
    if (on && !without.contains(std::string(row.name))) out.*row.rate = row.high * share;
  }
  return out;
}

std::set<std::string> NamesOf(const Faults& faults) {
  std::set<std::string> out;
  for (const FaultRow& row : kRows) {
    if (faults.*row.rate > 0) out.insert(std::string(row.name));
  }
  return out;
}

}  // namespace entente::sim
