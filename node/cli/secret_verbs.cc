// entente secret …: secrets shared with one other body, exchanged in person.
#include <utility>

#include "crypto/bytes.h"
#include "crypto/secret.h"
#include "node/cli/context.h"
#include "node/cli/files.h"
#include "node/cli/text.h"
#include "node/cli/verbs.h"

namespace entente::cli {
namespace {

constexpr size_t kSecretFileBytesMax = 4096;

Flag ReplaceFlag() { return {"replace", "", "exchange a new one for the one there is"}; }

absl::Status Make(Context& context) {
  const std::string path = context.args.Get("out");
  if (path.empty()) {
    return UsageError("a shared secret is written to a file and shown nowhere", "--out FILE");
  }
  v1::MakeSharedSecretRequest request;
  request.set_body(context.args.First());
  request.set_replace(context.args.Has("replace"));
  // The place first: the node keeps no copy of what it makes that could be shown later.
  const auto file = NewFile::Make(path, 0600, kSecretFileBytesMax);
  if (!file.ok()) return file.status();
  v1::MakeSharedSecretResponse response;
  if (absl::Status s = context.Call("NodeService/MakeSharedSecret", request, &response); !s.ok()) {
    return s;
  }
  const crypto::SecretBytes secret(std::move(*response.mutable_file()));
  response.clear_file();
  if (absl::Status s = (*file)->Keep(secret.view()); !s.ok()) return s;
  return context.Done(
      response, path,
      Cat("written to ", Clean(path), ": carry it to ", Clean(request.body()),
          " yourself, never send it. There: entente secret take. Put a copy into the recovery kit "
          "of either body, then destroy the file. It comes into use by itself when both have it."));
}

absl::Status Take(Context& context) {
  absl::StatusOr<std::string> text = ReadWhole(context.args.rest()[1], kSecretFileBytesMax);
  if (!text.ok()) return text.status();
  v1::TakeSharedSecretRequest request;
  request.set_body(context.args.First());
  request.set_file(*std::move(text));
  request.set_replace(context.args.Has("replace"));
  v1::TakeSharedSecretResponse response;
  const absl::Status called = context.Call("NodeService/TakeSharedSecret", request, &response);
  crypto::WipeMemory(request.mutable_file()->data(), request.file().size());
  if (!called.ok()) return called;
  return context.Done(response, request.body(),
                      Cat("a secret is now shared with ", Clean(request.body()),
                          "; it comes into use by itself. Destroy the file."));
}

absl::Status Drop(Context& context) {
  v1::DropSharedSecretRequest request;
  request.set_body(context.args.First());
  if (absl::Status s = context.Confirm(
          Cat("What ", Clean(request.body()),
              " sends from now on is protected without it, as it "
              "was before. What it sealed with the secret and this body has not opened yet, other "
              "readers must hand over again."));
      !s.ok()) {
    return s;
  }
  v1::DropSharedSecretResponse response;
  if (absl::Status s = context.Call("NodeService/DropSharedSecret", request, &response); !s.ok()) {
    return s;
  }
  return context.Done(response, request.body(),
                      Cat("no secret is shared with ", Clean(request.body()), " any more"));
}

}  // namespace

std::vector<Verb> SecretVerbs() {
  return {
      {.noun = "secret",
       .verb = "make",
       .args = "BODY",
       .summary = "make a secret shared with one body, to be carried there in person",
       .detail = "With it, what the two bodies send each other stays closed even to somebody who "
                 "records it today and has a quantum computer one day. Meet, hand over the file, "
                 "and compare the word strings of the cards while you are at it.",
       .example = "entente secret make XB --out /media/stick/for-xb.secret",
       .flags = {{"out", "FILE", "where to write it"}, ReplaceFlag()},
       .args_min = 1,
       .args_max = 1,
       .run = Make},
      {.noun = "secret",
       .verb = "take",
       .args = "BODY FILE",
       .summary = "take in the shared secret that a body has made and brought",
       .example = "entente secret take XA /media/stick/for-xb.secret",
       .flags = {ReplaceFlag()},
       .args_min = 2,
       .args_max = 2,
       .run = Take},
      {.noun = "secret",
       .verb = "drop",
       .args = "BODY",
       .summary = "forget the secret shared with a body, for instance because it may be known",
       .example = "entente secret drop XB",
       .args_min = 1,
       .args_max = 1,
       .run = Drop},
  };
}

}  // namespace entente::cli
