// entente bundle stamp: a time-stamping authority's word that a bundle existed (RFC 3161). The
// authority is asked by people, on whatever road their office has to it; it sees one hash.
#include <cstdint>
#include <map>

#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/timestamp.h"
#include "node/bundle/bag.h"
#include "node/cli/bundle_folder.h"
#include "node/cli/context.h"
#include "node/cli/files.h"
#include "node/cli/json.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

constexpr size_t kSignatureBytesMax = 4096;
constexpr size_t kCertificateBytesMax = 1 << 20;
constexpr size_t kBagInfoBytesMax = 1 << 20;

absl::StatusOr<Hash> DigestToStamp(const std::string& folder) {
  const absl::StatusOr<std::string> signature =
      ReadWhole(Cat(folder, "/", bundle::kSignaturePath), kSignatureBytesMax);
  if (!signature.ok()) {
    return service::Error(absl::StatusCode::kInvalidArgument,
                          {.what = Cat(Clean(folder), " is no bundle"),
                           .code = "NOT_A_BUNDLE",
                           .next = "make one: entente bundle export"});
  }
  return crypto::Sha256(*signature);
}

absl::Status Query(Context& context, const std::string& folder) {
  const absl::StatusOr<Hash> digest = DigestToStamp(folder);
  if (!digest.ok()) return digest.status();
  const std::string out = context.args.Get("query");
  if (absl::Status s = WriteNew(out, crypto::TimestampQuery(*digest), 0644); !s.ok()) return s;
  context.Print(context.json()
                    ? JsonObject().Add("query", out).str() + "\n"
                    : Cat("wrote ", Clean(out),
                          "; send it to a time-stamping authority, then: entente bundle stamp ",
                          Clean(folder), " --reply FILE\n"));
  return absl::OkStatus();
}

// The stamp takes its place, then everything that counts the files of the bag.
absl::Status Place(const std::string& folder, const std::string& stamp) {
  absl::Status s = WriteNew(Cat(folder, "/", bundle::kTimestampPath), stamp, 0644);
  if (!s.ok()) return s;
  const std::string info_path = Cat(folder, "/", bundle::kBagInfoPath);
  const absl::StatusOr<std::string> info = ReadWhole(info_path, kBagInfoBytesMax);
  if (!info.ok()) return info.status();
  absl::StatusOr<std::map<std::string, bundle::Digests>> files = DigestFolder(folder);
  if (!files.ok()) return files.status();
  uint64_t bytes = 0;
  uint64_t count = 0;
  for (const auto& [path, digests] : *files) {
    if (!path.starts_with("data/")) continue;
    bytes += digests.size;
    ++count;
  }
  const std::string counted = bundle::WithPayloadOxum(*info, bytes, count);
  if (s = WriteOut(info_path, counted, /*force=*/true); !s.ok()) return s;
  (*files)[std::string(bundle::kBagInfoPath)] = bundle::DigestsOf(counted);
  std::erase_if(*files, [](const auto& file) {
    return file.first.find('/') == std::string::npos &&
           file.first.find("manifest-") != std::string::npos;
  });
  for (const auto& [name, text] : bundle::Manifests(*files)) {
    if (s = WriteOut(Cat(folder, "/", name), text, /*force=*/true); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Reply(Context& context, const std::string& folder) {
  const absl::StatusOr<Hash> digest = DigestToStamp(folder);
  if (!digest.ok()) return digest.status();
  const absl::StatusOr<std::string> stamp =
      ReadWhole(context.args.Get("reply"), crypto::kTimestampBytesMax);
  if (!stamp.ok()) return stamp.status();
  std::string roots;
  if (context.args.Has("time-authority")) {
    absl::StatusOr<std::string> pem =
        ReadWhole(context.args.Get("time-authority"), kCertificateBytesMax);
    if (!pem.ok()) return pem.status();
    roots = *std::move(pem);
  }
  const absl::StatusOr<crypto::Timestamp> read = crypto::ReadTimestamp(*stamp, *digest, roots);
  if (!read.ok()) {
    return service::Error(read.status().code(),
                          {.what = std::string(ToStd(read.status().message())),
                           .code = "BAD_TIMESTAMP",
                           .next = "ask the authority once more: entente bundle stamp --query"});
  }
  if (absl::Status s = Place(folder, *stamp); !s.ok()) return s;
  context.Print(context.json()
                    ? JsonObject()
                              .Add("time", static_cast<uint64_t>(read->time))
                              .Add("serial", read->serial)
                              .Add("trusted", read->trusted)
                              .str() +
                          "\n"
                    : Cat("stamped ", Clean(folder), ": it existed on ", FormatTime(read->time),
                          read->trusted ? ", by the authority whose certificate you gave\n"
                                        : ", as the reply says; its authority was not checked\n"));
  return absl::OkStatus();
}

absl::Status Stamp(Context& context) {
  const bool asks = context.args.Has("query");
  if (asks == context.args.Has("reply")) {
    return UsageError("`bundle stamp` writes a request or takes a reply",
                      "--query request.tsq, or --reply reply.tsr");
  }
  return asks ? Query(context, context.args.First()) : Reply(context, context.args.First());
}

}  // namespace

Verb StampVerb() {
  return {.noun = "bundle",
          .verb = "stamp",
          .args = "FOLDER",
          .summary = "add a time-stamping authority's word that the bundle existed",
          .detail =
              "Write a request, send it to an authority (RFC 3161), and take its reply: two "
              "calls. The authority sees one hash and nothing of the case. Whoever checks "
              "the bundle gives entente-verify the authority's certificate.",
          .example = "entente bundle stamp ledger-for-court --query request.tsq",
          .flags = {{"query", "FILE", "write the request to a new file"},
                    {"reply", "FILE", "the authority's reply"},
                    {"time-authority", "FILE", "its certificate (PEM), to check the reply by"}},
          .args_min = 1,
          .args_max = 1,
          .run = Stamp};
}

}  // namespace entente::cli
