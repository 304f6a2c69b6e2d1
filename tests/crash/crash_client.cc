// A person's program that nothing discourages: it keeps writing to a node that is killed all the
// time, and remembers what it was told is safe.
//
//   crash_client write DATA KEY NAME AUDIENCE ACKS SEED PACE_MS FILE_EVERY
//   crash_client list DATA KEY            every note, one line each
//   crash_client lighten KEYSTORE PASSPHRASE_FILE
//
// write: until SIGTERM. Every call carries an idempotency key and is repeated, with the same key,
// until it is answered, so that a note that was committed and never acknowledged must not appear
// twice. A call adds one to four notes, "NAME CALL NUMBER/COUNT FILLER", which are there together
// or not at all. What was acknowledged goes to the file ACKS, one synced line each: "note TEXT" or
// "file REF SHA256". Everything written follows from SEED and a counter. An answer that no crash
// explains ends the program with 1.
//
// lighten: seals the keystore again under the lowest cost that the format allows, so that a start
// costs a tenth of a second of Argon2id and not a whole one.
#include <fcntl.h>
#include <grpc/grpc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "crypto/keystore.h"
#include "entente/v1/client.pb.h"
#include "node/cli/client.h"
#include "node/cli/files.h"
#include "node/cli/profile.h"
#include "node/store/keystore_file.h"

namespace entente {
namespace {

constexpr std::chrono::milliseconds kTryAgain(20);
constexpr size_t kFileBytesMin = 200'000;
constexpr size_t kFileBytesSpread = 2'500'000;

std::atomic<bool> going = true;

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "crash_client: %s\n", status.ToString().c_str());
  std::_Exit(1);
}

// What a caller sees of a node that was killed, is starting, or is on its way down.
bool NodeIsAway(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsUnauthenticated(status) ||
         absl::IsUnknown(status);
}

// One line after the other, each on disk before it counts.
class AckLog {
 public:
  explicit AckLog(const std::string& path)
      : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (fd_ < 0) Fail(absl::InternalError("the acknowledgements cannot be written"));
  }
  void Add(const std::string& lines) {
    if (write(fd_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()) ||
        fdatasync(fd_) != 0) {
      Fail(absl::InternalError("the acknowledgements cannot be written"));
    }
  }

 private:
  const int fd_;
};

// A client that comes back whenever the node does.
class Patient {
 public:
  Patient(std::string data, std::string key) : data_(std::move(data)), key_(std::move(key)) {}

  // Runs `call` on a connected client until it returns something that the node meant. False: the
  // program is to end.
  template <class Call>
  bool Until(const Call& call) {
    while (going) {
      if (client_ == nullptr) Connect();
      if (client_ != nullptr) {
        const absl::Status status = call(*client_);
        if (status.ok()) return true;
        if (!NodeIsAway(status)) Fail(status);
        client_.reset();
      }
      std::this_thread::sleep_for(kTryAgain);
    }
    return false;
  }

 private:
  void Connect() {
    const auto target = cli::ResolveTarget(data_, key_, [](const char*) { return std::string(); });
    if (!target.ok()) return;  // not started yet
    absl::StatusOr<std::unique_ptr<cli::Client>> made =
        cli::Client::Connect(*target, absl::Seconds(20));
    if (made.ok()) {
      client_ = *std::move(made);
    } else if (!NodeIsAway(made.status())) {
      Fail(made.status());
    }
  }

  const std::string data_;
  const std::string key_;
  std::unique_ptr<cli::Client> client_;
};

class Writer {
 public:
  Writer(Patient& node, std::string name, const std::string& audience, AckLog& acks, uint64_t seed)
      : node_(node), name_(std::move(name)), acks_(acks), dice_(seed), seed_(seed) {
    for (const absl::string_view body : absl::StrSplit(audience, ',')) {
      audience_.emplace_back(body);
    }
  }

  void AddNotes() {
    v1::AddNotesRequest request;
    for (const std::string& body : audience_) request.add_audience(body);
    const int count = 1 + static_cast<int>(dice_() % 4);
    const std::string number = std::to_string(written_++);
    std::string lines;
    for (int i = 1; i <= count; ++i) {
      std::string text =
          Cat(name_, " ", number, " ", std::to_string(i), "/", std::to_string(count), " ");
      text.append(dice_() % 500, static_cast<char>('a' + dice_() % 26));
      lines += Cat("note ", text, "\n");
      request.add_texts(std::move(text));
    }
    request.set_idempotency_key(Key("notes"));
    v1::AddNotesResponse response;
    const bool done = node_.Until([&](cli::Client& client) {
      return client.Call("RecordService/AddNotes", request, &response);
    });
    if (done) acks_.Add(lines);
  }

  void AddFile(const std::string& scratch) {
    const std::string content = Content();
    const std::string path = Cat(scratch, ".", name_, ".file");
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    v1::AddEvidenceRequest request;
    request.mutable_item()->set_title(Cat("film ", std::to_string(written_++)));
    request.mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
    request.mutable_item()->set_measure("surveillance");
    for (const std::string& body : audience_) request.add_audience(body);
    request.set_idempotency_key(Key("file"));
    v1::AddEvidenceResponse response;
    // An upload that no record names is gone after a crash, so it begins anew each time.
    const bool done = node_.Until([&](cli::Client& client) -> absl::Status {
      absl::StatusOr<std::unique_ptr<cli::FileSource>> source = cli::FileSource::Open(path);
      if (!source.ok()) return source.status();
      const auto uploaded = client.Upload(**source, "film.bin", nullptr);
      if (!uploaded.ok()) return uploaded.status();
      request.clear_upload_ids();
      request.add_upload_ids(uploaded->upload_id());
      return client.Call("EvidenceService/AddEvidence", request, &response);
    });
    if (done) {
      acks_.Add(Cat("file ", response.record().ref(), " ", crypto::Sha256(content).hex(), "\n"));
    }
    unlink(path.c_str());
  }

 private:
  std::string Key(std::string_view what) {
    return crypto::H("crash-test", {name_, what, std::to_string(seed_), std::to_string(calls_++)})
        .str()
        .substr(0, 16);
  }
  std::string Content() {
    std::string content(kFileBytesMin + dice_() % kFileBytesSpread, '\0');
    for (size_t i = 0; i + 8 <= content.size(); i += 8) {
      const uint64_t drawn = dice_();
      content.replace(i, 8, reinterpret_cast<const char*>(&drawn), 8);
    }
    return content;
  }

  Patient& node_;
  const std::string name_;
  std::vector<std::string> audience_;
  AckLog& acks_;
  std::mt19937_64 dice_;
  const uint64_t seed_;
  uint64_t written_ = 0;
  uint64_t calls_ = 0;
};

int Write(const std::vector<std::string>& words) {
  std::signal(SIGTERM, [](int) { going = false; });
  Patient node(words[2], words[3]);
  AckLog acks(words[6]);
  Writer writer(node, words[4], words[5], acks, std::stoull(words[7]));
  const std::chrono::milliseconds pace(std::stoi(words[8]));
  const int file_every = std::stoi(words[9]);
  for (int i = 1; going; ++i) {
    if (file_every > 0 && i % file_every == 0) {
      writer.AddFile(words[6]);
    } else {
      writer.AddNotes();
    }
    std::this_thread::sleep_for(pace);
  }
  return 0;
}

int List(const std::vector<std::string>& words) {
  const auto target =
      cli::ResolveTarget(words[2], words[3], [](const char*) { return std::string(); });
  if (!target.ok()) Fail(target.status());
  const auto client = cli::Client::Connect(*target, absl::Minutes(2));
  if (!client.ok()) Fail(client.status());
  std::string last;
  for (;;) {
    v1::ListNotesRequest request;
    request.set_after(last);
    v1::ListNotesResponse response;
    const absl::Status status = (*client)->Call("RecordService/ListNotes", request, &response);
    if (!status.ok()) Fail(status);
    if (response.records().empty()) return 0;
    for (const v1::RecordView& record : response.records()) {
      std::printf("%s\n", record.note().text().c_str());
    }
    last = response.records().rbegin()->id();
  }
}

int Lighten(const std::vector<std::string>& words) {
  std::ifstream file(words[3]);
  std::string passphrase;
  std::getline(file, passphrase);
  const absl::StatusOr<crypto::SecretBytes> sealed = store::ReadSecretFile(words[2]);
  if (!sealed.ok()) Fail(sealed.status());
  const absl::StatusOr<crypto::NodeKeys> keys = crypto::OpenKeystore(sealed->view(), passphrase);
  if (!keys.ok()) Fail(keys.status());
  SystemEntropy entropy;
  const absl::StatusOr<std::string> light =
      crypto::SealKeystore(*keys, passphrase, crypto::Argon2Cost::kInteractive, entropy);
  if (!light.ok()) Fail(light.status());
  const absl::Status written = store::WriteSecretFile(words[2], *light, store::Overwrite::kReplace);
  if (!written.ok()) Fail(written);
  return 0;
}

int Run(const std::vector<std::string>& words) {
  if (const absl::Status s = crypto::Init(); !s.ok()) Fail(s);
  if (words.size() == 10 && words[1] == "write") return Write(words);
  if (words.size() == 4 && words[1] == "list") return List(words);
  if (words.size() == 4 && words[1] == "lighten") return Lighten(words);
  std::fputs("usage: crash_client write|list|lighten …\n", stderr);
  return 2;
}

}  // namespace
}  // namespace entente

int main(int argc, char** argv) {
  // Shutting gRPC down takes seconds and frees what the system frees anyway.
  grpc_init();
  std::fflush(stdout);
  const int result = entente::Run({argv, argv + argc});
  std::fflush(stdout);
  std::_Exit(result);
}
