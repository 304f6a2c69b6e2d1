// A peer with a trusted card and keys of its own, and no good will: what a node has to bear from a
// member that has turned, or whose node somebody else runs now.
//
//   hostile_peer MODE VICTIM_CARD OWN_CARD KEYSTORE PASSPHRASE_FILE SECONDS [WORKERS]
//
// Each worker connects, does its worst, and connects again whenever it is cut. Modes:
//   garbage    random bytes as messages            oversize   messages beyond every limit
//   elements   a million empty elements            nested     groups within groups
//   silence    a greeting that never comes         half       half a greeting, then nothing
//   flood      greets, then valid frames without end
//   wants      greets, then asks for everything held, over and over, and never reads
//   forged     greets, then batches with signatures that do not hold
//   streams    as many connections and streams as it can open
//
// Prints one JSON object: how often it connected, what it sent, how often it was cut, and the codes
// with which it was refused.
#include <grpc/grpc.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "crypto/signing.h"
#include "entente/v1/peer.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "node/service/card_file.h"
#include "node/store/keystore_file.h"
#include "node/transport/frame_guard.h"
#include "node/transport/tls.h"
#include "sync/card_book.h"

namespace entente {
namespace {

using Clock = std::chrono::steady_clock;
constexpr char kMethod[] = "/entente.v1.PeerService/Exchange";
constexpr std::chrono::seconds kPatience(3);

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "hostile_peer: %s\n", status.ToString().c_str());
  std::_Exit(1);
}

struct Setting {
  std::string mode;
  sync::TrustedCard victim;
  sync::TrustedCard own;
  crypto::NodeKeys keys;
  Clock::time_point until;
};

struct Tally {
  std::atomic<uint64_t> connected = 0;
  std::atomic<uint64_t> messages = 0;
  std::atomic<uint64_t> bytes = 0;
  std::atomic<uint64_t> cut = 0;
  std::mutex mutex;
  std::map<int, uint64_t> refused;
};

grpc::ByteBuffer Buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

// One stream, with nothing between this program and the bytes.
class Line : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Line(const Setting& setting, Tally& tally, std::shared_ptr<grpc::Channel> channel)
      : setting_(setting), tally_(tally), stub_(std::move(channel)) {}

  void Open() {
    stub_.PrepareBidiStreamingCall(&context_, kMethod, grpc::StubOptions(), this);
    AddHold();
    StartRead(&in_);
    StartCall();
    ++tally_.connected;
  }
  // False once the line is dead, or when nothing moves any more.
  bool Send(const std::string& message) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return !writing_ || ended_; })) return false;
    if (shut_ || ended_) return false;
    writing_ = true;
    out_ = Buffer(message);
    lock.unlock();
    StartWrite(&out_);
    ++tally_.messages;
    tally_.bytes += message.size();
    return true;
  }
  // The next frame of this kind that the victim says.
  bool Await(v1::Frame::FrameCase kind, v1::Frame* frame) {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, kPatience, [&] { return said_.contains(kind) || ended_; });
    if (!came || !said_.contains(kind)) return false;
    *frame = said_[kind];
    return true;
  }
  void StopReading() { deaf_ = true; }
  void AwaitEnd(std::chrono::milliseconds how_long) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, how_long, [this] { return ended_; });
  }
  void Close() {
    {
      const std::lock_guard lock(mutex_);
      if (shut_ || ended_) ++tally_.cut;
    }
    context_.TryCancel();
    RemoveHold();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
      return;
    }
    Note();
    in_.Clear();
    if (!deaf_) StartRead(&in_);
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    shut_ = shut_ || !ok;
    changed_.notify_all();
  }
  void OnDone(const grpc::Status&) override {
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

 private:
  void Note() {
    std::vector<grpc::Slice> slices;
    if (!in_.Dump(&slices).ok()) return;
    std::string bytes;
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    std::optional<v1::Frame> frame = transport::ParseFrame(bytes);
    if (!frame.has_value()) return;
    if (frame->has_refused()) {
      const std::lock_guard lock(tally_.mutex);
      ++tally_.refused[frame->refused().code()];
    }
    const std::lock_guard lock(mutex_);
    said_[frame->frame_case()] = *std::move(frame);
    changed_.notify_all();
  }

  const Setting& setting_;
  Tally& tally_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<v1::Frame::FrameCase, v1::Frame> said_;
  std::atomic<bool> deaf_ = false;
  bool writing_ = false;
  bool shut_ = false;   // the victim takes no more; what it said last may still be on its way
  bool ended_ = false;  // the victim says no more
  bool done_ = false;
};

class Worker {
 public:
  Worker(const Setting& setting, Tally& tally, uint64_t seed)
      : setting_(setting), tally_(tally), dice_(seed) {}

  void Run() {
    while (Going()) {
      if (setting_.mode == "streams") {
        ManyStreams();
        continue;
      }
      Line line(setting_, tally_, Connect());
      line.Open();
      Attack(line);
      line.Close();
    }
  }

 private:
  bool Going() const { return Clock::now() < setting_.until; }

  std::shared_ptr<grpc::Channel> Connect() const {
    grpc::ChannelArguments args = transport::ChannelDefaults();
    args.SetMaxSendMessageSize(-1);
    args.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel(
        setting_.victim.card.addresses(0),
        transport::ClientTls(setting_.keys.tls, setting_.victim.tls_spki), args);
  }

  void Attack(Line& line) {
    const std::string& mode = setting_.mode;
    if (mode == "garbage") return Repeat(line, [this] { return Noise(1 + dice_() % 4096); });
    if (mode == "oversize") {
      return Repeat(line, [this] { return Noise((2 << 20) + dice_() % (6 << 20)); });
    }
    if (mode == "elements") return Repeat(line, [] { return EmptyElements(); });
    if (mode == "nested") return Repeat(line, [] { return std::string(200'000, '\x0b'); });
    if (mode == "silence") return line.AwaitEnd(std::chrono::seconds(5));
    if (mode == "half") {
      line.Send(transport::SerializeFrame(Hello()));
      return line.AwaitEnd(std::chrono::seconds(5));
    }
    if (!Greet(line)) return;
    if (mode == "flood") return Repeat(line, [this] { return Valid(); });
    if (mode == "forged") return Forge(line);
    if (mode == "wants") return Wants(line);
    Fail(absl::InvalidArgumentError("unknown mode"));
  }

  template <class Next>
  void Repeat(Line& line, const Next& next) {
    while (Going() && line.Send(next())) {
    }
    line.AwaitEnd(std::chrono::milliseconds(500));
  }

  v1::Frame Hello() {
    v1::Frame frame;
    v1::Hello* hello = frame.mutable_hello();
    hello->set_version_min(1);
    hello->set_version_max(1);
    hello->set_signed_card(setting_.own.signed_card);
    nonce_ = Noise(32);
    hello->set_nonce(nonce_);
    hello->set_batch_bytes_max(1 << 20);
    return frame;
  }

  bool Greet(Line& line) {
    if (!line.Send(transport::SerializeFrame(Hello()))) return false;
    v1::Frame theirs;
    if (!line.Await(v1::Frame::kHello, &theirs)) return false;
    v1::Frame proof;
    proof.mutable_hello_proof()->set_signature(
        crypto::SignStatement(setting_.keys.statement, crypto::Purpose::hello, JitId(),
                              Cat(nonce_, theirs.hello().nonce(), setting_.own.tls_spki.view(),
                                  setting_.victim.tls_spki.view()))
            .str());
    return line.Send(transport::SerializeFrame(proof)) && line.Await(v1::Frame::kDigests, &theirs);
  }

  // Frames that an honest node sends too, only not so many.
  std::string Valid() {
    v1::Frame frame;
    switch (dice_() % 4) {
      case 0:
        frame.mutable_ping()->set_token(dice_());
        break;
      case 1:
        frame.mutable_digests();
        break;
      case 2:
        frame.mutable_credit()->set_bytes(1);
        break;
      default:
        frame.mutable_want()->set_log_id(Noise(32));
    }
    return transport::SerializeFrame(frame);
  }

  // The victim shows its heads when digests differ.
  bool HeadsOf(Line& line, v1::Frame* heads) {
    v1::Frame digests;
    digests.mutable_digests()->set_reply(true);
    return line.Send(transport::SerializeFrame(digests)) && line.Await(v1::Frame::kHeads, heads);
  }

  void Forge(Line& line) {
    v1::Frame heads;
    if (!HeadsOf(line, &heads)) return;
    Repeat(line, [&] {
      v1::Frame frame;
      v1::Batch* batch = frame.mutable_batch();
      const auto& known = heads.heads().heads();
      *batch->mutable_head() = known[static_cast<int>(dice_() % known.size())];
      batch->mutable_head()->set_size(batch->head().size() + 1);
      batch->set_from(batch->head().size() - 1);
      batch->add_entries()->set_body(Noise(512));
      batch->mutable_entries(0)->set_type(1);
      batch->set_head_note(Noise(300));
      return transport::SerializeFrame(frame);
    });
  }

  void Wants(Line& line) {
    v1::Frame heads;
    if (!HeadsOf(line, &heads)) return;
    line.StopReading();
    Repeat(line, [&] {
      v1::Frame frame;
      const auto& known = heads.heads().heads();
      const v1::Head& head = known[static_cast<int>(dice_() % known.size())];
      frame.mutable_want()->set_log_id(head.log_id());
      frame.mutable_want()->set_to(head.size());
      frame.mutable_want()->set_budget_bytes(UINT32_MAX);
      return transport::SerializeFrame(frame);
    });
  }

  void ManyStreams() {
    std::vector<std::unique_ptr<Line>> lines;
    for (int i = 0; i < 64 && Going(); ++i) {
      const std::shared_ptr<grpc::Channel> channel = Connect();
      for (int k = 0; k < 8; ++k) {
        lines.push_back(std::make_unique<Line>(setting_, tally_, channel));
        lines.back()->Open();
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    for (const auto& line : lines) line->Close();
  }

  static std::string EmptyElements() {
    std::string elements;
    for (int i = 0; i < 500'000; ++i) elements += std::string("\x0a\x00", 2);
    v1::Frame frame;
    frame.mutable_heads()->ParseFromString(elements);
    return transport::SerializeFrame(std::move(frame));
  }

  std::string Noise(size_t size) {
    std::string noise(size, '\0');
    for (char& byte : noise) byte = static_cast<char>(dice_());
    return noise;
  }

  const Setting& setting_;
  Tally& tally_;
  std::mt19937_64 dice_;
  std::string nonce_;
};

sync::TrustedCard ReadCard(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const absl::StatusOr<service::CardFile> card = service::ParseCardFile(text);
  if (!card.ok()) Fail(card.status());
  absl::StatusOr<sync::TrustedCard> verified = sync::VerifyCard(card->signed_card);
  if (!verified.ok()) Fail(verified.status());
  return *std::move(verified);
}

crypto::NodeKeys ReadKeys(const std::string& path, const std::string& passphrase_file) {
  std::ifstream file(passphrase_file);
  std::string passphrase;
  std::getline(file, passphrase);
  const absl::StatusOr<crypto::SecretBytes> sealed = store::ReadSecretFile(path);
  if (!sealed.ok()) Fail(sealed.status());
  absl::StatusOr<crypto::NodeKeys> keys = crypto::OpenKeystore(sealed->view(), passphrase);
  if (!keys.ok()) Fail(keys.status());
  return *std::move(keys);
}

int Run(const std::vector<std::string>& words) {
  if (words.size() < 7) {
    std::fputs(
        "usage: hostile_peer MODE VICTIM_CARD OWN_CARD KEYSTORE PASSPHRASE_FILE SECONDS "
        "[WORKERS]\n",
        stderr);
    return 2;
  }
  transport::ConfigureTls();
  if (const absl::Status s = crypto::Init(); !s.ok()) Fail(s);
  const Setting setting{words[1], ReadCard(words[2]), ReadCard(words[3]),
                        ReadKeys(words[4], words[5]),
                        Clock::now() + std::chrono::seconds(std::stoi(words[6]))};
  Tally tally;
  std::vector<std::thread> threads;
  const int workers = words.size() > 7 ? std::stoi(words[7]) : 1;
  for (int i = 0; i < workers; ++i) {
    threads.emplace_back([&, i] { Worker(setting, tally, static_cast<uint64_t>(i)).Run(); });
  }
  for (std::thread& thread : threads) thread.join();
  std::string codes;
  for (const auto& [code, count] : tally.refused) {
    codes +=
        Cat(codes.empty() ? "" : ", ", "\"", std::to_string(code), "\": ", std::to_string(count));
  }
  std::printf(
      "{\"connected\": %llu, \"messages\": %llu, \"bytes\": %llu, \"cut\": %llu, "
      "\"refused\": {%s}}\n",
      static_cast<unsigned long long>(tally.connected),
      static_cast<unsigned long long>(tally.messages), static_cast<unsigned long long>(tally.bytes),
      static_cast<unsigned long long>(tally.cut), codes.c_str());
  return 0;
}

}  // namespace
}  // namespace entente

int main(int argc, char** argv) {
  grpc_init();
  const int result = entente::Run({argv, argv + argc});
  std::fflush(stdout);
  std::_Exit(result);
}
