// Every fault of the simulator, in one struct of rates. Zero switches a fault off.
//
// A seed draws a swarm: each fault is on with probability one half, so that rare pairs meet. Rates
// of "moment" faults are per beat (the chaos of world/chaos.h beats some hundred times in a run,
// whatever its span), the others per step, per frame or per parcel as the table in faults.cc says.
// The letters are those of the fault list: N network, S storage, P process, C clock.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace entente::sim {

struct Faults {
  // N: per frame
  double cut = 0;         // the stream breaks; what was under way is lost
  double slow_frame = 0;  // a frame takes up to minutes, and what follows it waits
  // N: per dial
  double impostor = 0;  // another node answers at the address
  double stall = 0;     // the connection stands and nobody ever says a word
  // N: per parcel
  double parcel_loss = 0;
  double parcel_twice = 0;
  double parcel_late = 0;    // reordered, up to the relay's 28 days
  double parcel_swap = 0;    // the relay hands it to another's mailbox as well
  double parcel_damage = 0;  // a bit is another one
  double parcel_replay = 0;  // an old one comes again, years later if the run is long
  // N: per beat
  double partition = 0;    // two nodes cannot reach each other
  double one_way = 0;      // frames arrive in one direction only
  double isolation = 0;    // one node reaches nobody, for long
  double split = 0;        // two halves, and one node that reaches both
  double swizzle = 0;      // a node's links stop one by one and return in another order
  double storm = 0;        // all connections break at once and all dial again
  double thin_line = 0;    // a link carries a few kilobytes a second
  double relay_lost = 0;   // a relay is replaced by an empty one
  double disk_parcel = 0;  // parcels on a disk: lost, twice, cut, to the wrong node, months old
  // S: per step
  double crash = 0;        // power fails between two effects
  double torn_commit = 0;  // power fails within the commit: all of it or nothing
  double sync_error = 0;   // the commit reports an error; it may have happened all the same
  double lost_tail = 0;    // per crash: the disk had lied about the last commits
  double bad_read = 0;     // per chunk read: the disk returns another block
  // S: per beat
  double disk_full = 0;
  double slow_disk = 0;
  double bit_rot = 0;     // a row no longer reads
  double store_lost = 0;  // the database is gone, with or without the anchor file
  double old_backup = 0;  // the database is set back, with or without the anchor file
  // P: per beat
  double pause = 0;         // stopped for minutes to hours, then goes on where it was
  double restart_loop = 0;  // killed again and again, at start too
  double double_click = 0;  // per command: sent twice with one key
  // C: per beat
  double clock_jump = 0;  // seconds to a year, either way
  double clock_stop = 0;
  double clock_drift = 0;
  double clock_strobe = 0;
  // C: per node, at the start
  double clock_skew = 0;
  // Keys: per beat
  double renewal = 0;  // stopped, given new keys from its root, its card handed over by people
  // P: per node, at the start
  double next_version = 0;  // speaks of things that this version does not know
  // S: per beat
  double chunk_rot = 0;  // a chunk of a file is another one; somebody else has a sound copy
};

enum class Per { kFrame, kDial, kParcel, kBeat, kStep, kNode };

struct FaultRow {
  std::string_view name;  // of the switch and of its counter
  std::string_view list;  // where the fault list has it
  Per per;
  double Faults::*rate;
  double high;  // rates are drawn from (0, high]
};

std::span<const FaultRow> AllFaults();

// The swarm of a seed. `without` switches faults off by name; the others keep their draw.
Faults DrawFaults(uint64_t seed, const std::set<std::string>& without);
// Names of the faults that are on.
std::set<std::string> NamesOf(const Faults& faults);

}  // namespace entente::sim
