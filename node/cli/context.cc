#include "node/cli/context.h"

#include <array>
#include <istream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "node/cli/json.h"
#include "node/cli/text.h"
#include "node/service/card_file.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

constexpr size_t kKeyBytes = 16;
constexpr size_t kBarWidth = 30;
constexpr absl::Duration kTimeout = absl::Minutes(5);

absl::StatusOr<absl::Duration> TimeoutOf(const Args& args) {
  if (!args.Has("timeout")) return kTimeout;
  int seconds = 0;
  if (absl::SimpleAtoi(args.Get("timeout"), &seconds) && seconds > 0) {
    return absl::Seconds(seconds);
  }
  return UsageError("--timeout is a number of seconds", "--timeout 600");
}

}  // namespace

absl::StatusOr<Client*> Context::Connect() {
  if (client_ != nullptr) return client_.get();
  const absl::StatusOr<absl::Duration> timeout = TimeoutOf(args);
  if (!timeout.ok()) return timeout.status();
  const absl::StatusOr<Target> target =
      ResolveTarget(args.Get("node"), args.Get("user-key"), terminal_.env);
  if (!target.ok()) return target.status();
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(*target, *timeout);
  if (!client.ok()) return client.status();
  client_ = *std::move(client);
  return client_.get();
}

absl::Status Context::Call(std::string_view method, const google::protobuf::Message& request,
                           google::protobuf::Message* response) {
  const absl::StatusOr<Client*> client = Connect();
  if (!client.ok()) return client.status();
  return (*client)->Call(method, request, response);
}

std::string Context::Key() {
  if (args.Has("request-id")) {
    // The verb is part of it: one text may serve a whole script.
    return crypto::H("request-id", {verb_.name(), args.Get("request-id")})
        .str()
        .substr(0, kKeyBytes);
  }
  return SystemEntropy().Bytes(kKeyBytes);
}

absl::StatusOr<const std::map<std::string, std::string>*> Context::KnownParties() {
  if (parties_.empty()) {
    v1::ListCardsResponse cards;
    const absl::Status status = Call("NodeService/ListCards", v1::ListCardsRequest(), &cards);
    if (!status.ok()) return status;
    for (const v1::CardSummary& card : cards.cards()) {
      const auto parsed = service::ParseCardFile(card.signed_card());
      if (parsed.ok()) parties_[card.code()] = parsed->card.party();
    }
  }
  return &parties_;
}

absl::StatusOr<std::string> Context::Party(std::string_view code) {
  if (const auto parties = KnownParties(); !parties.ok()) return parties.status();
  const auto found = parties_.find(std::string(code));
  if (found != parties_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, party] : parties_) known.push_back(Clean(name));
  return service::Error(absl::StatusCode::kNotFound,
                        {.what = Cat("no trusted body has the code \"", Clean(code), "\""),
                         .code = "UNKNOWN_PARTY",
                         .why = Cat("Trusted are: ", absl::StrJoin(known, ", "), "."),
                         .next = "entente node card list"});
}

absl::Status Context::Show(const google::protobuf::Message& response,
                           const std::function<std::string()>& text) {
  terminal_.out << (json() ? MessageAsJson(response) : text());
  return absl::OkStatus();
}

absl::Status Context::Done(const google::protobuf::Message& response, std::string_view id,
                           std::string_view sentence) {
  return Show(response, [&] { return Cat(quiet() ? id : sentence, "\n"); });
}

void Context::Hint(std::string_view text) {
  if (!json() && !quiet()) terminal_.err << text << "\n";
}

std::string Context::Ask(std::string_view question) {
  terminal_.err << question << " " << std::flush;
  std::string line;
  std::getline(terminal_.in, line);
  return line;
}

absl::Status Context::Confirm(std::string_view sentence) {
  if (!terminal_.in_is_terminal) return absl::OkStatus();
  terminal_.err << sentence << "\n";
  if (Ask("Go ahead? Type yes:") == "yes") return absl::OkStatus();
  return service::Error(absl::StatusCode::kCancelled,
                        {.what = "nothing was done", .code = "NOT_CONFIRMED"});
}

Client::Progress Context::ProgressOf(std::string what) {
  if (!terminal_.err_is_terminal || quiet()) return nullptr;
  auto shown = std::make_shared<int>(-1);
  return [this, what = std::move(what), shown](uint64_t done, uint64_t total) {
    const int percent =
        total == 0
            ? 100
            : static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total));
    if (percent == *shown) return;
    *shown = percent;
    const size_t full = kBarWidth * static_cast<size_t>(percent) / 100;
    terminal_.err << "\r" << PadTo(Fit(Clean(what), 30), 30) << " [" << std::string(full, '#')
                  << std::string(kBarWidth - full, ' ') << "] " << percent << "% of "
                  << HumanBytes(total) << "   " << (done == total ? "\n" : "") << std::flush;
  };
}

}  // namespace entente::cli
