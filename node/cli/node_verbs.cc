// entente node …: the node itself, its card and the cards it trusts.
#include "absl/time/clock.h"
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/daemon.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/cli/words.h"
#include "node/service/card_file.h"

namespace entente::cli {
namespace {

constexpr size_t kCardBytesMax = 256u << 10;

std::string CardLine(const v1::CardSummary& card) {
  return Cat(Clean(card.code()), "  ", Clean(card.name()), "\n  ", Clean(card.word_string()));
}

absl::Status ShowCard(Context& context) {
  v1::ShowCardRequest request;
  request.set_code(context.args.First());
  v1::ShowCardResponse response;
  if (absl::Status s = context.Call("NodeService/ShowCard", request, &response); !s.ok()) return s;
  const absl::StatusOr<std::string> file = service::EncodeCardFile(response.card().signed_card());
  if (!file.ok()) return file.status();
  if (context.args.Has("out")) {
    const std::string path = context.args.Get("out");
    if (absl::Status s = WriteOut(path, *file, false); !s.ok()) return s;
    return context.Done(response, path,
                        Cat("written to ", Clean(path), "\n", CardLine(response.card())));
  }
  context.Hint(Cat("Give this to the other body, and compare the words by telephone:\n  ",
                   Clean(response.card().word_string())));
  return context.Show(response, [&] { return *file; });
}

absl::Status TrustCard(Context& context) {
  const absl::StatusOr<std::string> text = ReadWhole(context.args.First(), kCardBytesMax);
  if (!text.ok()) return text.status();
  const absl::StatusOr<service::CardFile> card = service::ParseCardFile(*text);
  if (!card.ok()) return card.status();
  v1::TrustCardRequest request;
  request.set_signed_card(card->signed_card);
  request.set_word_string(context.args.Get("words"));
  // A card that follows one trusted before is the party root's own word: there is nothing new to
  // compare.
  v1::ShowCardRequest held_request;
  held_request.set_code(card->card.code());
  v1::ShowCardResponse held;
  const bool follows = context.Call("NodeService/ShowCard", held_request, &held).ok() &&
                       held.card().word_string() == card->words &&
                       held.card().seq() < card->card.seq();
  if (follows) {
    context.Hint(Cat("This is a newer card of ", Clean(card->card.code()),
                     ", signed by the same root: the words are the same as before, and need not be "
                     "compared again:\n  ",
                     card->words));
  } else if (!context.args.Has("words")) {
    const absl::Status sure = context.Confirm(
        Cat("This card says it is of ", Clean(card->card.code()), ", ", Clean(card->card.name()),
            ".\nRead these words to them by telephone; they must see the same:\n\n  ", card->words,
            "\n\nWhoever holds this card will be written to as ", Clean(card->card.code()), "."));
    if (!sure.ok()) return sure;
  }
  v1::TrustCardResponse response;
  if (absl::Status s = context.Call("NodeService/TrustCard", request, &response); !s.ok()) return s;
  return context.Done(response, response.card().code(),
                      Cat(response.already_trusted() ? "already trusted: "
                          : response.renewed()       ? "renewed: "
                                                     : "trusted: ",
                          CardLine(response.card())));
}

absl::Status ListCards(Context& context) {
  v1::ListCardsResponse response;
  if (absl::Status s = context.Call("NodeService/ListCards", v1::ListCardsRequest(), &response);
      !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"BODY", "NAME", "KIND", "REACHED", "WORDS"});
    for (const v1::CardSummary& card : response.cards()) {
      table.Add({card.code(), card.name(), EnumWord(card.kind()),
                 card.disputed()                                   ? "DISPUTED"
                 : card.own()                                      ? "this node"
                 : !card.relay_only() && card.addresses_size() > 0 ? "direct"
                 : card.relays_size() > 0                          ? "relay"
                                                                   : "dials in",
                 card.word_string().substr(0, 11) + "…"});
    }
    return table.Render();
  });
}

std::string StatusText(const v1::GetStatusResponse& status) {
  const absl::Time now = absl::Now();
  Facts facts;
  facts.Add("Body", Cat(status.body_code(), "  ", status.body_name()));
  facts.Add("Words", status.word_string());
  facts.Add("Listening",
            status.listening().empty() ? "on this machine only" : JoinCodes(status.listening()));
  facts.Add("Records", std::to_string(status.records()));
  facts.Add("Only here",
            Cat(std::to_string(status.only_here()), " entries that no other body holds yet"));
  if (status.free_bytes() > 0) facts.Add("Free room", HumanBytes(status.free_bytes()));
  facts.Add("Version", status.version());
  Table jits({"JIT", "STATE", "UNTIL THE END OF", "ID"});
  for (const v1::JitStatus& jit : status.jits()) {
    jits.Add({jit.code_name(), StateWord(jit.state()), FormatDay(jit.period_to(), DayMeans::kEnd),
              jit.jit().substr(0, 16) + "…"});
  }
  std::string warnings;
  for (const std::string& warning : status.warnings()) {
    warnings += Cat("warning: ", CleanLines(warning, 2), "\n");
  }
  return Cat(facts.Render(), KeyLines(status.keys()), jits.empty() ? "" : "\n", jits.Render(),
             status.peers().empty() ? "" : "\n", PeerTable(status.peers(), now), warnings);
}

absl::Status ShowStatus(Context& context) {
  v1::GetStatusResponse response;
  if (absl::Status s = context.Call("NodeService/GetStatus", v1::GetStatusRequest(), &response);
      !s.ok()) {
    return s;
  }
  return context.Show(response, [&] { return StatusText(response); });
}

std::vector<Flag> InitFlags() {
  return {
      {"data", "DIR", "where the node keeps everything"},
      {"body", "CODE", "short code of the body, for example XA"},
      {"name", "TEXT", "full name of the body"},
      {"kind", "KIND", "member-state-authority, eurojust, third-country-authority …"},
      {"country", "CC", "two letters; none for Union bodies"},
      {"listen", "HOST:PORT", "where other nodes reach this one, or none (default: loopback only)"},
      {"address", "HOST:PORT", "how other nodes reach it, when that differs"},
      {"relay", "FILE", "card of a relay to be reached through", true},
      {"relay-only", "", "everything through the relay: never dial, never be dialled"},
      {"relay-pace", "SECONDS", "how often to look at the relay, or immediate (default 300)"},
      {"user", "NAME", "the first person who may sign in"},
      {"role", "ROLE", "what that person is (default jit-leader)"},
      {"user-key", "OUTFILE", "where that person's key file goes"},
      {"root-key", "OUTFILE", "where the body's root key goes; keep it offline"},
      {"passphrase-file", "FILE", "passphrase of the keystore"},
      {"profile", "OUTFILE", "write a profile for --node"},
  };
}

}  // namespace

std::vector<Verb> NodeVerbs() {
  return {
      {.noun = "node",
       .verb = "init",
       .summary = "make a new node: its keys, its card, its first person",
       .detail = "Everything is made on this machine; there is no default password. The node "
                 "listens on loopback alone until --listen says otherwise. On a terminal it asks "
                 "for what is missing.",
       .example = "entente node init --data /var/lib/entente --body XA --name \"Arvenia, National "
                  "Prosecution Office\" --listen 192.0.2.10:7443 --user anna --user-key anna.key",
       .flags = InitFlags(),
       .run = RunNodeInit,
       .passes_on = true},
      {.noun = "node",
       .verb = "card show",
       .args = "[CODE]",
       .summary = "print this node's card, to give to another body",
       .detail = "With a code: the card of a body that is trusted here.",
       .example = "entente node card show > xa.card",
       .flags = {{"out", "FILE", "write it to a file"}},
       .args_max = 1,
       .run = ShowCard},
      {.noun = "node",
       .verb = "card trust",
       .args = "FILE|-",
       .summary = "trust another body's card, after comparing its words by telephone",
       .example = "entente node card trust xb.card",
       .flags = {{"words", "WORDS", "the words as the other body reads them; they must match"}},
       .args_min = 1,
       .args_max = 1,
       .run = TrustCard},
      {.noun = "node",
       .verb = "card list",
       .summary = "list the bodies whose cards are trusted",
       .example = "entente node card list",
       .run = ListCards},
      {.noun = "node",
       .verb = "status",
       .summary = "how the node and its connections are",
       .example = "entente node status",
       .run = ShowStatus},
      DoctorVerb(),
  };
}

}  // namespace entente::cli
