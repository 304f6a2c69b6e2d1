// entente node rotate, renew, exposure: when keys are old, or may be in other hands.
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/daemon.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"

namespace entente::cli {
namespace {

absl::Status RotateKeys(Context& context) {
  v1::RotateKeysRequest request;
  request.set_emergency(context.args.Has("emergency"));
  if (request.emergency()) {
    const absl::Status sure = context.Confirm(
        "Everything this body can read is sealed anew at once, here and by every body that hears "
        "of it; what is written from now on, a thief of the old keys cannot open. What was written "
        "before, he can. If he could also sign as this body, renew the node instead: entente node "
        "renew.");
    if (!sure.ok()) return sure;
  }
  v1::RotateKeysResponse response;
  if (absl::Status s = context.Call("NodeService/RotateKeys", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response,
                      [&] { return Cat("fresh keys announced\n", KeyLines(response.keys())); });
}

absl::Status ShowExposure(Context& context) {
  v1::ShowExposureRequest request;
  request.set_body(context.args.Get("body"));
  request.set_jit(context.args.Get("jit"));
  const absl::StatusOr<int64_t> since = ParseWhen(context.args.Get("since"), DayMeans::kStart);
  if (!since.ok()) return since.status();
  request.set_since(*since);
  v1::ShowExposureResponse response;
  if (absl::Status s = context.Call("NodeService/ShowExposure", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table records({"RECORD", "KIND", "OF", "FROM", "UNTIL", "CHANGES"});
    for (const v1::ExposedRecord& record : response.records()) {
      records.Add({record.ref(), record.kind(), record.owner_code(),
                   FormatTime(record.first_change()),
                   record.goes_on() ? "still readable" : FormatTime(record.last_change()),
                   std::to_string(record.changes())});
    }
    size_t open = 0;
    for (const v1::ExposedLog& log : response.logs()) open += log.until() == 0 ? 1 : 0;
    return Cat("What whoever took the keys of ", Clean(request.body()),
               " could read of what is here:\n", records.empty() ? "nothing\n" : records.Render(),
               open == 0
                   ? ""
                   : Cat("\n", std::to_string(open),
                         " of its audiences have had no entry since under a newer key; what is "
                         "written there next is safe once it has rotated its keys\n"));
  });
}

Verb RecoverVerb() {
  return {.noun = "node",
          .verb = "recover",
          .summary = "make a body's node anew, when the old one and its backups are gone",
          .detail =
              "Needs the body's root key for a moment, and the body's card from every other "
              "body that has it (entente node card show XA --out FILE, there): the newest of "
              "them is followed. The words stay the same. What others hold comes back by "
              "itself once the new card is known to them and theirs here; then renew the keys. "
              "It listens as the card says, unless --listen and its like say otherwise.",
          .example =
              "entente node recover --data /var/lib/entente --own-card xa-from-xb.card "
              "--own-card xa-from-xc.card --root-key root.key --user anna --card xa-new.card",
          .flags = {{"data", "DIR", "where the new node will keep everything"},
                    {"own-card", "FILE", "this body's card, as another body holds it", true},
                    {"root-key", "FILE", "the body's root key"},
                    {"passphrase-file", "FILE", "passphrase of the new keystore"},
                    {"root-passphrase-file", "FILE", "passphrase of the root key, when it differs"},
                    {"user", "NAME", "the first person who may sign in"},
                    {"role", "ROLE", "what that person is (default jit-leader)"},
                    {"user-key", "OUTFILE", "where that person's key file goes"},
                    {"profile", "OUTFILE", "write a profile for --node"},
                    {"card", "OUTFILE", "write the new card to a file"},
                    {"listen", "HOST:PORT", "where other nodes reach this one, or none"},
                    {"address", "HOST:PORT", "how other nodes reach it, when that differs"},
                    {"relay", "FILE", "card of a relay to be reached through", true},
                    {"relay-only", "", "everything through the relay"},
                    {"relay-pace", "SECONDS", "how often to look at the relay (default 300)"}},
          .run = RunNodeRecover,
          .passes_on = true};
}

}  // namespace

std::vector<Verb> KeyVerbs() {
  return {
      {.noun = "node",
       .verb = "rotate",
       .summary = "give this node a fresh key to be written to",
       .detail = "It happens by itself every 30 days. With --emergency, when the old one may be in "
                 "other hands: all audiences with this body change at once, here and at every body "
                 "that hears of it, and the old key is destroyed as soon as nobody needs it. Start "
                 "the node anew afterwards: the last copy in its key file goes then.",
       .example = "entente node rotate --emergency",
       .flags = {{"emergency", "", "the old key may be stolen: do not wait for the next entry"}},
       .run = RotateKeys},
      {.noun = "node",
       .verb = "renew",
       .summary = "give a stopped node new keys, when the old ones may be in other hands",
       .detail = "Needs the body's root key for a moment. The node keeps its history and goes on; "
                 "its old keys count for nothing any more, whoever uses them. With "
                 "--compromised-since, what they wrote from then on does not count either. With "
                 "--keep-tls the other bodies take the new card by themselves; otherwise give it "
                 "to them (entente node card trust), which needs no new comparison of words. Fetch "
                 "what others hold for this node before (entente sync status), unless somebody "
                 "else may be writing in its name.",
       .example = "entente node renew --data /var/lib/entente --root-key root.key "
                  "--compromised-since 2026-03-01",
       .flags = {{"data", "DIR", "the node's folder; the node must be stopped"},
                 {"root-key", "FILE", "the body's root key"},
                 {"passphrase-file", "FILE", "passphrase of the keystore"},
                 {"root-passphrase-file", "FILE", "passphrase of the root key, when it differs"},
                 {"compromised-since", "TIME", "since when the keys may have been in other hands"},
                 {"keep-tls", "", "keep the key that connections are recognised by"},
                 {"card", "OUTFILE", "write the new card to a file"}},
       .run = RunNodeRenew,
       .passes_on = true},
      RecoverVerb(),
      {.noun = "node",
       .verb = "exposure",
       .summary = "what could be read with the stolen keys of a body, and until when",
       .detail = "Lists the records that were addressed to that body, with the first and the last "
                 "change that the keys it used at that time open. What was written after it had "
                 "fresh keys is not among them. Keys that are no longer known here are counted "
                 "as stolen.",
       .example = "entente node exposure --body XB --since 2026-03-01",
       .flags = {{"body", "CODE", "whose keys were stolen"},
                 {"since", "TIME", "since when they may have been in other hands"},
                 JitFlag()},
       .run = ShowExposure},
  };
}

}  // namespace entente::cli
