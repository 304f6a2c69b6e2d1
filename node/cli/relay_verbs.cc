// entente relay …: the blind relay and who may use it.
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/daemon.h"
#include "node/cli/files.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/service/card_file.h"

namespace entente::cli {
namespace {

constexpr size_t kCardBytesMax = 256u << 10;

absl::Status Admit(Context& context) {
  const absl::StatusOr<std::string> file = ReadWhole(context.args.First(), kCardBytesMax);
  if (!file.ok()) return file.status();
  const absl::StatusOr<service::CardFile> card = service::ParseCardFile(*file);
  if (!card.ok()) return card.status();
  v1::AdmitNodeRequest request;
  request.set_signed_card(card->signed_card);
  v1::AdmitNodeResponse response;
  if (absl::Status s = context.Call("RelayAdminService/AdmitNode", request, &response); !s.ok()) {
    return s;
  }
  return context.Done(response, response.word_string(),
                      Cat("admitted ", Clean(card->card.code()), ", ", Clean(card->card.name()),
                          "\n  words of its card  ", Clean(response.word_string())));
}

absl::Status Status(Context& context) {
  v1::GetRelayStatusResponse response;
  if (absl::Status s =
          context.Call("RelayAdminService/GetRelayStatus", v1::GetRelayStatusRequest(), &response);
      !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Facts facts;
    facts.Add("Reached at", response.route().address());
    facts.Add("Admitted nodes", std::to_string(response.admitted()));
    facts.Add("Mailboxes", std::to_string(response.mailboxes()));
    facts.Add("Waiting parcels",
              Cat(std::to_string(response.parcels()), ", ", HumanBytes(response.bytes())));
    facts.Add("Oldest", response.oldest() == 0 ? "" : FormatTime(response.oldest()));
    return facts.Render();
  });
}

}  // namespace

std::vector<Verb> RelayVerbs() {
  return {
      {.noun = "relay",
       .verb = "init",
       .summary = "make a new blind relay",
       .example = "entente relay init --data /srv/relay --listen 192.0.2.20:7444 --card relay.card",
       .flags = {{"data", "DIR", "where the relay keeps everything"},
                 {"name", "TEXT", "its name"},
                 {"listen", "HOST:PORT", "where it listens (default: loopback only)"},
                 {"address", "HOST:PORT", "how nodes reach it, when that differs"},
                 {"card", "OUTFILE", "write a copy of its card, to hand out"}},
       .run = RunRelayInit,
       .passes_on = true},
      {.noun = "relay",
       .verb = "admit",
       .args = "FILE|-",
       .summary = "let a node use this relay",
       .example = "entente --node /srv/relay relay admit xc.card",
       .args_min = 1,
       .args_max = 1,
       .run = Admit},
      {.noun = "relay",
       .verb = "status",
       .summary = "what waits at this relay",
       .example = "entente --node /srv/relay relay status",
       .run = Status},
  };
}

}  // namespace entente::cli
