#include "node/core/doctor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "crypto/bytes.h"
#include "sync/limits.h"

namespace entente::core {
namespace {

using Findings = std::vector<v1::Finding>;
using v1::SEVERITY_ADVICE;
using v1::SEVERITY_ALARM;
using v1::SEVERITY_PROBLEM;

std::string Day(absl::Time time) {
  return absl::FormatTime("%-d %B %Y", time, absl::UTCTimeZone());
}

std::string HowLong(absl::Duration length) {
  const int64_t minutes = absl::ToInt64Minutes(length);
  const auto count = [](int64_t n, std::string_view word) {
    return Cat(std::to_string(n), " ", word, n == 1 ? "" : "s");
  };
  if (minutes < 120) return count(minutes, "minute");
  if (minutes < 48 * 60) return count(minutes / 60, "hour");
  return count(minutes / (24 * 60), "day");
}

std::string List(const std::vector<std::string>& codes) { return absl::StrJoin(codes, ", "); }

// Stamps only show a clock that is behind what others have written, or behind oneself: nothing that
// was written earlier tells that a clock is ahead.
void CheckClock(const DoctorFacts& facts, absl::Time now, Findings* out) {
  if (facts.newest_own_stamp > now + sync::kClockTolerance) {
    out->push_back(
        MakeFinding("CLOCK_SET_BACK", SEVERITY_PROBLEM,
                    Cat("This machine's clock is ", HowLong(facts.newest_own_stamp - now),
                        " before what this node itself has written."),
                    "It has been set back, or was ahead for a while; new entries carry the later "
                    "time until the "
                    "clock has caught up.",
                    "timedatectl set-ntp true"));
  }
  std::vector<const DoctorFacts::Peer*> ahead;
  size_t others = 0;
  for (const DoctorFacts::Peer& peer : facts.peers) {
    if (peer.newest_stamp == absl::InfinitePast()) continue;
    ++others;
    if (peer.newest_stamp > now + sync::kClockTolerance) ahead.push_back(&peer);
  }
  if (ahead.empty()) return;
  if (ahead.size() >= 2 && ahead.size() * 2 > others) {
    out->push_back(MakeFinding("CLOCK_BEHIND", SEVERITY_PROBLEM,
                               Cat("This machine's clock is behind: ", std::to_string(ahead.size()),
                                   " bodies have written things that it dates in the future."),
                               Cat("The furthest is ", HowLong(ahead.front()->newest_stamp - now),
                                   " ahead. Deadlines and expiry dates are judged by this clock."),
                               "timedatectl set-ntp true"));
    return;
  }
  for (const DoctorFacts::Peer* peer : ahead) {
    out->push_back(MakeFinding(
        "CLOCK_OF_PEER", SEVERITY_ADVICE,
        Cat(peer->code, " has written things dated ", HowLong(peer->newest_stamp - now),
            " in the future."),
        "Its clock is ahead, or this one behind; nothing is lost, but times in lists are wrong.",
        "timedatectl status"));
  }
}

void CheckLife(const DoctorFacts& facts, Findings* out) {
  if (facts.cloned) {
    out->push_back(MakeFinding(
        "CLONED", SEVERITY_ALARM, "Another node is writing in this node's name.",
        "A copy of its folder is running elsewhere, or somebody has stolen it, or this machine was "
        "set back as a whole. This node writes nothing more under its present card. Stop any other "
        "one for good first.",
        "entente node renew --data DIR --root-key FILE --passphrase-file FILE"));
  } else if (facts.incarnation > 1) {
    out->push_back(MakeFinding(
        "RESTORED", SEVERITY_ADVICE, "This node was once set back behind what it had already sent.",
        "Its earlier logs are closed for ever and it goes on in new ones; what others hold of the "
        "old ones comes back by itself.",
        "entente sync status"));
  }
}

void CheckForks(const DoctorFacts& facts, Findings* out) {
  for (const DoctorFacts::Fork& fork : facts.forks) {
    const std::string lost = fork.counts >= fork.held
                                 ? "Nothing held here loses its effect."
                                 : Cat("The last ", std::to_string(fork.held - fork.counts), " of ",
                                       std::to_string(fork.held),
                                       " entries are kept and shown as disputed, without effect.");
    if (fork.over) {
      out->push_back(
          MakeFinding(fork.own ? "FORK_OWN" : "FORK", SEVERITY_ADVICE,
                      Cat(fork.own ? std::string("This node") : fork.author,
                          " once signed two contradicting versions of a log."),
                      Cat(fork.own ? "That log is closed, and this node goes on in another. "
                                   : "Its node has been renewed since, or the body is excluded: "
                                     "that log goes no further. ",
                          lost),
                      "entente sync status"));
    } else if (fork.own) {
      out->push_back(MakeFinding(
          "FORK_OWN", SEVERITY_ALARM, "This node has signed two contradicting versions of a log.",
          Cat("Others hold the proof. A copy of it is or was running: stop that for good first. ",
              lost),
          "entente node renew --data DIR --root-key FILE --passphrase-file FILE"));
    } else {
      out->push_back(
          MakeFinding("FORK", SEVERITY_ALARM,
                      Cat(fork.author, " has signed two contradicting versions of a log."),
                      Cat("The proof is kept here and anybody can check it. ", lost),
                      Cat("entente agreement suspend ", fork.author, " --reason \"…\"")));
    }
  }
}

void CheckPeer(const DoctorFacts::Peer& peer, absl::Time now, Findings* out) {
  if (peer.road == DoctorFacts::Road::kNone) {
    out->push_back(
        MakeFinding("NO_ROAD", SEVERITY_PROBLEM, Cat("There is no way to reach ", peer.code, "."),
                    "One of the two takes relays only, and there is no relay that both have.",
                    Cat("entente parcel export --to ", peer.code, " --out DIR")));
    return;
  }
  if (peer.keys_since < now - kPeerUnchanged) {
    out->push_back(MakeFinding("PEER_UNCHANGED", SEVERITY_ADVICE,
                               Cat("The node of ", peer.code, " last renewed its protection on ",
                                   Day(peer.keys_since), "."),
                               "A running node does that every thirty days by itself: it has "
                               "probably not been running, or "
                               "has not been heard here since.",
                               Cat("entente card show ", peer.code)));
  }
  const bool direct = peer.road == DoctorFacts::Road::kDirect;
  if (direct && peer.connected && peer.shares_a_jit && !peer.agrees) {
    out->push_back(MakeFinding(
        "CATCHING_UP", SEVERITY_ADVICE,
        Cat("This node and that of ", peer.code, " are still giving each other what they lack."),
        "Nothing need be done but to wait, before either is switched off.", "entente sync status"));
  }
  if (peer.connected || !peer.shares_a_jit) {
    if (peer.last_contact != absl::InfinitePast() || peer.connected) return;
  }
  if (peer.last_contact == absl::InfinitePast()) {
    out->push_back(MakeFinding(
        "NEVER_MET", SEVERITY_PROBLEM,
        Cat("This node knows of no sign of life of ", peer.code, "."),
        Cat("Its card is trusted here. Is this node's card trusted there, and does the address or "
            "relay on it work?"),
        "entente card show"));
    return;
  }
  const absl::Duration silent = now - peer.last_contact;
  if (peer.road == DoctorFacts::Road::kRelay && peer.waiting > 0 &&
      silent > kRelayKeeps - kRelayWarning) {
    out->push_back(MakeFinding(
        "RELAY_ERASES", SEVERITY_PROBLEM,
        Cat(peer.code, " has fetched nothing for ", HowLong(silent),
            "; what waits for it at the relay is erased from ",
            Day(peer.last_contact + kRelayKeeps), " on."),
        Cat(std::to_string(peer.waiting),
            " entries are on their way to it. They stay here and are sent again when it is back."),
        Cat("entente parcel export --to ", peer.code, " --out DIR")));
  } else if (silent > kSilentAfter) {
    out->push_back(
        MakeFinding("SILENT", SEVERITY_PROBLEM,
                    Cat("Nothing has been heard from ", peer.code, " for ", HowLong(silent), "."),
                    peer.waiting == 0 ? std::string("Nothing waits for it.")
                                      : Cat(std::to_string(peer.waiting), " entries wait for it."),
                    "entente sync status"));
  } else if (direct) {
    out->push_back(
        MakeFinding("NOT_CONNECTED", SEVERITY_ADVICE,
                    Cat("The node of ", peer.code, " is not connected; it was last heard on ",
                        Day(peer.last_contact), "."),
                    peer.waiting == 0 ? std::string("Nothing waits for it.")
                                      : Cat(std::to_string(peer.waiting), " entries wait for it."),
                    "entente sync status"));
  }
}

v1::Finding OfRefusal(const DoctorFacts::Refusal& refusal) {
  const std::string& peer = refusal.peer;
  const std::string times = Cat("Last on ", Day(refusal.last), ", ", std::to_string(refusal.count),
                                refusal.count == 1 ? " time." : " times.");
  switch (refusal.code) {
    case v1::REFUSAL_CODE_UNTRUSTED_CARD:
      if (refusal.by_peer) {
        return MakeFinding("CARD_NOT_TRUSTED_THERE", SEVERITY_PROBLEM,
                           Cat(peer, " does not trust this node's card."),
                           Cat("Its operator has not taken it in, or holds an older one. ", times),
                           "entente card show > own.card");
      }
      return MakeFinding("CARD_NOT_TRUSTED_HERE", SEVERITY_PROBLEM,
                         Cat(peer, " shows a card that is not the one trusted here."),
                         Cat("It is new, or somebody speaks in its name: compare its words by "
                             "telephone. ",
                             times),
                         "entente card trust FILE");
    case v1::REFUSAL_CODE_REVOKED_CARD:
      return MakeFinding("CARD_REVOKED", SEVERITY_PROBLEM,
                         refusal.by_peer ? Cat(peer, " holds a newer card of this body.")
                                         : Cat(peer, " shows a card that has been withdrawn."),
                         times, "entente card list");
    case v1::REFUSAL_CODE_VERSION:
      return MakeFinding("VERSION", SEVERITY_PROBLEM,
                         Cat("This node and that of ", peer, " have no version in common."), times,
                         "entente node status");
    case v1::REFUSAL_CODE_STORAGE:
      return MakeFinding("STORAGE_REFUSED", SEVERITY_PROBLEM,
                         refusal.by_peer ? Cat(peer, " could not store what was sent to it.")
                                         : Cat("What ", peer, " sent could not be stored here."),
                         Cat("Its disk is full or failing. ", times), "df -h");
    case v1::REFUSAL_CODE_BUDGET:
    case v1::REFUSAL_CODE_TOO_BIG:
      return MakeFinding("TOO_MUCH", SEVERITY_ADVICE,
                         refusal.by_peer ? Cat(peer, " found it too much at once.")
                                         : Cat(peer, " sent too much at once."),
                         times, "entente sync status");
    default:
      break;
  }
  std::string code = v1::RefusalCode_Name(refusal.code);
  if (code.rfind("REFUSAL_CODE_", 0) == 0) code = code.substr(13);
  return MakeFinding(Cat("REFUSED_", code), SEVERITY_PROBLEM,
                     refusal.by_peer ? Cat(peer, " refuses something from this node.")
                                     : Cat("This node refuses something from ", peer, "."),
                     times, "entente sync status");
}

// Two nodes that speak with each other have got over not knowing each other.
bool SettledSince(const DoctorFacts& facts, const DoctorFacts::Refusal& refusal) {
  if (refusal.code != v1::REFUSAL_CODE_UNTRUSTED_CARD && refusal.code != v1::REFUSAL_CODE_VERSION) {
    return false;
  }
  return std::any_of(facts.peers.begin(), facts.peers.end(), [&](const DoctorFacts::Peer& peer) {
    return peer.code == refusal.peer && (peer.connected || peer.last_contact > refusal.last);
  });
}

void CheckPeers(const DoctorFacts& facts, absl::Time now, Findings* out) {
  for (const DoctorFacts::Peer& peer : facts.peers) CheckPeer(peer, now, out);
  for (const DoctorFacts::Refusal& refusal : facts.refusals) {
    // Nodes ask and are told "not here" in the ordinary course of things.
    if (refusal.code == v1::REFUSAL_CODE_NOT_HERE || refusal.code == v1::REFUSAL_CODE_FORK)
      continue;
    if (SettledSince(facts, refusal)) continue;
    if (now - refusal.last <= kRefusalShown) out->push_back(OfRefusal(refusal));
  }
}

void CheckKeys(const DoctorFacts& facts, absl::Time now, Findings* out) {
  if (facts.next_rotation < now - kRotationGrace) {
    out->push_back(MakeFinding("ROTATION_OVERDUE", SEVERITY_PROBLEM,
                               Cat("This node should have renewed its protection on ",
                                   Day(facts.next_rotation), " and has not."),
                               "It does so by itself while it runs. Whoever has a copy of this "
                               "disk could read what is sent "
                               "to it until then.",
                               "entente node rotate"));
  }
  if (!facts.behind.empty() && facts.own_keys_since < now - kNewsTravels) {
    out->push_back(MakeFinding(
        "PEERS_BEHIND", SEVERITY_ADVICE,
        Cat(List(facts.behind), facts.behind.size() == 1 ? " has" : " have",
            " not heard of this node's renewal of ", Day(facts.own_keys_since), " yet."),
        "What they send can still be read here for now; it reaches them with the next contact.",
        "entente sync status"));
  }
  for (const std::string& body : facts.disputed) {
    const bool own = body == facts.self;
    out->push_back(MakeFinding(
        own ? "DISPUTED_OWN" : "DISPUTED", SEVERITY_ALARM,
        own ? std::string("Two different cards of this body with one number are going round.")
            : Cat("There are two different cards of ", body, " with one number."),
        own ? "Somebody else may be able to make cards in its name: tell every other body by "
              "telephone. No newer card of it is taken anywhere."
            : "Somebody else may be able to make cards in its name. No newer one is taken; meet "
              "its "
              "people before you go on sharing.",
        own ? std::string("entente card show")
            : Cat("entente agreement suspend ", body, " --reason \"…\"")));
  }
  for (const DoctorFacts::Theft& theft : facts.thefts) {
    if (now - theft.told > kTheftShown) continue;
    out->push_back(MakeFinding(
        "COMPROMISED", SEVERITY_ADVICE,
        Cat("Somebody else may have read and written as ", theft.body, " since ", Day(theft.from),
            "."),
        "It has said so itself and has a new card. What its old card wrote from then on does "
        "not count here.",
        Cat("entente node exposure --body ", theft.body, " --since ",
            absl::FormatTime("%Y-%m-%d", theft.from, absl::UTCTimeZone()))));
  }
  if (!facts.locked_authors.empty()) {
    const std::vector<std::string> authors(facts.locked_authors.begin(),
                                           facts.locked_authors.end());
    out->push_back(MakeFinding(
        "LOCKED", SEVERITY_PROBLEM,
        Cat("Some of what ", List(authors), " wrote cannot be read here."),
        "It is stored and passed on. The other readers are asked to hand it over again, which "
        "happens by itself as soon as one of them is connected.",
        "entente sync status"));
  }
}

void CheckJits(const DoctorFacts& facts, absl::Time now, Findings* out) {
  for (const DoctorFacts::Jit& jit : facts.jits) {
    if (jit.in_force && jit.period_to <= now) {
      out->push_back(
          MakeFinding("EXPIRED", SEVERITY_PROBLEM,
                      Cat("The agreement of ", jit.name, " expired on ", Day(jit.period_to), "."),
                      "Nothing new can be written under it; what there is stays readable.",
                      "entente agreement propose --help"));
    } else if (jit.in_force && jit.period_to <= now + kExpiryWarning) {
      out->push_back(
          MakeFinding("EXPIRING", SEVERITY_ADVICE,
                      Cat("The agreement of ", jit.name, " expires on ", Day(jit.period_to), "."),
                      "A new version needs the signature of every party before that day.",
                      "entente agreement propose --help"));
    }
    if (!jit.waiting_for.empty()) {
      out->push_back(MakeFinding("SIGNING", SEVERITY_ADVICE,
                                 Cat("A version of the agreement of ", jit.name, " waits for ",
                                     List(jit.waiting_for), "."),
                                 "It comes into force when all have signed.",
                                 "entente agreement show"));
    }
  }
  for (const DoctorFacts::Standing& standing : facts.standings) {
    if (standing.excluded) continue;
    if (!standing.signed_by.empty()) {
      out->push_back(
          MakeFinding("EXCLUSION_OPEN", SEVERITY_PROBLEM,
                      Cat("The exclusion of ", standing.party, " from ", standing.jit,
                          " waits for ", List(standing.waiting_for), "."),
                      Cat("Signed by ", List(standing.signed_by),
                          ", who already write nothing more to it; the others still do."),
                      "entente agreement show"));
    }
    if (!standing.suspended_by.empty()) {
      out->push_back(MakeFinding("SUSPENDED", SEVERITY_ADVICE,
                                 Cat(List(standing.suspended_by), " sends nothing to ",
                                     standing.party, " in ", standing.jit, "."),
                                 "It is a suspension, which the same body can lift.",
                                 "entente agreement show"));
    }
  }
}

void CheckOnlyHere(const DoctorFacts& facts, Findings* out) {
  if (facts.only_here == 0) return;
  const bool alone = !facts.peers.empty() &&
                     std::none_of(facts.peers.begin(), facts.peers.end(),
                                  [](const DoctorFacts::Peer& peer) { return peer.connected; });
  out->push_back(MakeFinding(
      "ONLY_HERE", alone ? SEVERITY_PROBLEM : SEVERITY_ADVICE,
      Cat(std::to_string(facts.only_here), " entries are on this machine and nowhere else."),
      alone ? "No other body is connected: if this disk fails they are lost."
            : "They are being passed on; do not switch the machine off before they are.",
      "entente sync status"));
}

void CheckEvidence(const DoctorFacts& facts, absl::Time now, Findings* out) {
  for (const DoctorFacts::Erasure& erasure : facts.erasures) {
    if (now < erasure.ordered + kErasureAwaited) continue;
    out->push_back(MakeFinding(
        "ERASURE_OPEN", SEVERITY_PROBLEM,
        Cat("The erasure of ", erasure.ref, " was ordered ", HowLong(now - erasure.ordered),
            " ago, and not confirmed by ", List(erasure.waiting_for), "."),
        "Until they confirm, the item may still be held there. Ask them whether their node runs.",
        Cat("entente evidence certificate ", erasure.ref)));
  }
  if (facts.to_be_reviewed == 0) return;
  const std::string today = absl::FormatTime("%Y-%m-%d", now, absl::UTCTimeZone());
  out->push_back(
      MakeFinding("REVIEW_DUE", SEVERITY_PROBLEM,
                  Cat(std::to_string(facts.to_be_reviewed),
                      facts.to_be_reviewed == 1 ? " item of evidence is" : " items of evidence are",
                      " to be reviewed: the date until which it may be kept has come."),
                  "Somebody has to decide whether it is erased or kept on, and until when "
                  "(Dir. (EU) 2016/680 Art. 5).",
                  Cat("entente evidence list --due ", today)));
}

}  // namespace

v1::Finding MakeFinding(std::string code, v1::Severity severity, std::string what, std::string why,
                        std::string next) {
  v1::Finding finding;
  finding.set_code(std::move(code));
  finding.set_severity(severity);
  finding.set_what(std::move(what));
  finding.set_why(std::move(why));
  finding.set_next(std::move(next));
  return finding;
}

void SortFindings(Findings* findings) {
  std::stable_sort(
      findings->begin(), findings->end(),
      [](const v1::Finding& a, const v1::Finding& b) { return a.severity() > b.severity(); });
}

Findings Examine(const DoctorFacts& facts, absl::Time now) {
  Findings out;
  CheckLife(facts, &out);
  CheckForks(facts, &out);
  CheckClock(facts, now, &out);
  CheckKeys(facts, now, &out);
  CheckPeers(facts, now, &out);
  CheckJits(facts, now, &out);
  CheckOnlyHere(facts, &out);
  CheckEvidence(facts, now, &out);
  SortFindings(&out);
  return out;
}

}  // namespace entente::core
