// A client under measurement: writes or watches notes through the API that people's programs use.
//
//   load_client append ADDRESS KEY COUNT BATCH AUDIENCE PACE_US
//   load_client watch ADDRESS KEY COUNT      prints "watching", then waits for COUNT new notes
//   load_client total ADDRESS KEY COUNT      waits until COUNT notes are there in all
//
// Prints one JSON object. A note begins with the writer's monotonic clock, which both processes
// share, so that the watcher can tell how long it was on its way.
#include <grpc/grpc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "crypto/entropy.h"
#include "entente/v1/client.pb.h"
#include "node/cli/client.h"

namespace entente {
namespace {

constexpr size_t kNoteBytes = 300;

int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "load_client: %s\n", status.ToString().c_str());
  std::_Exit(1);
}

class Load {
 public:
  explicit Load(cli::Client& client) : client_(client) {}

  void Append(int count, int batch, const std::string& audience, int pace_us) {
    std::vector<int64_t> took;
    const int64_t start = NowMicros();
    for (int done = 0; done < count; done += batch) {
      if (pace_us > 0) {
        std::this_thread::sleep_until(std::chrono::steady_clock::time_point(
            std::chrono::microseconds(start + int64_t{done} * pace_us)));
      }
      v1::AddNotesRequest request;
      for (const absl::string_view code : absl::StrSplit(audience, ',')) {
        request.add_audience(std::string(code));
      }
      const int64_t at = NowMicros();
      for (int i = 0; i < std::min(batch, count - done); ++i) request.add_texts(Text(at));
      v1::AddNotesResponse response;
      if (const absl::Status s = client_.Call("RecordService/AddNotes", request, &response);
          !s.ok()) {
        Fail(s);
      }
      took.push_back(NowMicros() - at);
    }
    Print(count, start, NowMicros(), std::move(took));
  }

  void Watch(int count) {
    Skip();
    std::puts("watching");
    std::fflush(stdout);
    std::vector<int64_t> took;
    int64_t first = 0;
    while (took.size() < static_cast<size_t>(count)) {
      for (const v1::RecordView& record : Next()) {
        const int64_t written = std::atoll(record.note().text().c_str());
        if (first == 0) first = written;
        took.push_back(NowMicros() - written);
      }
    }
    Print(count, first, NowMicros(), std::move(took));
  }

  void Total(uint64_t count) {
    uint64_t token = 0;
    for (;;) {
      v1::ListNotesRequest request;
      request.set_limit(1);
      v1::ListNotesResponse response;
      if (const absl::Status s = client_.Call("RecordService/ListNotes", request, &response);
          !s.ok()) {
        Fail(s);
      }
      if (response.total() >= count) break;
      token = WaitForChange(token);
    }
    std::printf("{\"at_us\": %lld}\n", static_cast<long long>(NowMicros()));
  }

 private:
  static std::string Text(int64_t at) {
    std::string text = std::to_string(at) + " ";
    text.resize(kNoteBytes, 'x');
    return text;
  }

  uint64_t WaitForChange(uint64_t after) {
    v1::ListChangesRequest request;
    request.set_after(after);
    request.set_wait_seconds(20);
    v1::ListChangesResponse response;
    if (const absl::Status s = client_.Call("RecordService/ListChanges", request, &response);
        !s.ok()) {
      Fail(s);
    }
    return response.next();
  }

  // Past everything that is there already.
  void Skip() {
    while (!Page().empty()) {
    }
    for (uint64_t next = token_;; token_ = next) {
      v1::ListChangesRequest request;
      request.set_after(token_);
      v1::ListChangesResponse response;
      if (!client_.Call("RecordService/ListChanges", request, &response).ok()) return;
      next = response.next();
      if (response.changes().empty()) return;
    }
  }

  std::vector<v1::RecordView> Page() {
    v1::ListNotesRequest request;
    request.set_after(last_);
    v1::ListNotesResponse response;
    if (const absl::Status s = client_.Call("RecordService/ListNotes", request, &response);
        !s.ok()) {
      Fail(s);
    }
    if (!response.records().empty()) last_ = response.records().rbegin()->id();
    return {response.records().begin(), response.records().end()};
  }

  std::vector<v1::RecordView> Next() {
    std::vector<v1::RecordView> page = Page();
    if (!page.empty()) return page;
    token_ = WaitForChange(token_);
    return Page();
  }

  static void Print(int count, int64_t from, int64_t to, std::vector<int64_t> took) {
    std::sort(took.begin(), took.end());
    const auto at = [&took](double share) {
      return took.empty()
                 ? 0.0
                 : static_cast<double>(
                       took[static_cast<size_t>(share * static_cast<double>(took.size() - 1))]) /
                       1000;
    };
    std::printf(
        "{\"count\": %d, \"from_us\": %lld, \"to_us\": %lld, \"p50_ms\": %.3f, "
        "\"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
        count, static_cast<long long>(from), static_cast<long long>(to), at(0.5), at(0.99), at(1));
  }

  cli::Client& client_;
  std::string last_;
  uint64_t token_ = 0;
};

int Run(const std::vector<std::string>& words) {
  if (words.size() < 5) {
    std::fputs("usage: load_client append|watch|total ADDRESS KEY COUNT …\n", stderr);
    return 2;
  }
  if (const absl::Status s = crypto::Init(); !s.ok()) Fail(s);
  auto client = cli::Client::Connect({words[2], words[3], words[2]}, absl::Minutes(5));
  if (!client.ok()) Fail(client.status());
  Load load(**client);
  const int count = std::atoi(words[4].c_str());
  if (words[1] == "append" && words.size() == 8) {
    load.Append(count, std::atoi(words[5].c_str()), words[6], std::atoi(words[7].c_str()));
  } else if (words[1] == "watch") {
    load.Watch(count);
  } else {
    load.Total(static_cast<uint64_t>(count));
  }
  return 0;
}

}  // namespace
}  // namespace entente

int main(int argc, char** argv) {
  // Shutting gRPC down takes seconds and frees what the system frees anyway.
  grpc_init();
  return entente::Run({argv, argv + argc});
}
