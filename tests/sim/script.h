// Workloads as data: one text file each in workloads/, one line per act.
//
//   # what it is about
//   bodies XA XB XC EJ       who there is; EJ and EU are Union bodies, TC a third country
//   parties XA XB XC         who signs the agreement
//   participants EJ
//   relay-only XC            reached through a relay alone
//   dials-only XB            cannot be dialled
//   relays 1                 how many relays the cards name
//   span 2h                  how long the work lasts
//   pace 30s                 how often nodes with nothing to say compare what they hold
//   relay-pace 5m            how often parcels leave; "immediate" when not given
//   random 40                so many acts drawn from the seed as well
//   by-name                  run when it is asked for and not drawn by seeds
//   hostile XC               that body's node turns hostile after a third of the span
//   10m XA note XB EJ        at a time: who does what; "*" is every party
//
// Verbs: propose, sign, reject, amend, admit BODY, controller BODY, exclude BODY, suspend BODY,
// lift BODY, note READERS, notes COUNT READERS, evidence KILOBYTES READERS, task BODY, move,
// line READERS, release BODY, erase, off, on, away, back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/sim/acts.h"

namespace entente::sim {

struct ScriptLine {
  absl::Duration at;
  std::string who;
  std::string verb;
  std::vector<std::string> words;
};

struct Script {
  std::string name;
  std::vector<BodyPlan> bodies;
  Codes parties;
  Codes participants;
  absl::Duration span = absl::Hours(2);
  absl::Duration pace = absl::Seconds(30);
  absl::Duration relay_pace = absl::ZeroDuration();
  int random = 0;
  bool by_name = false;  // not among those that a seed draws from
  std::string hostile;
  std::vector<ScriptLine> lines;
};

// InvalidArgument names the line.
absl::StatusOr<Script> ParseScript(std::string_view name, std::string_view text);
// The workloads of the folder, by name. An error of any of them ends the program.
const std::vector<Script>& AllScripts();
const Script* FindScript(std::string_view name);

// Carries one line out.
void Perform(World& world, Acts& acts, const ScriptLine& line);

}  // namespace entente::sim
