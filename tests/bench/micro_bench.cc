// What single operations cost. Compare ratios within one run, not absolute numbers between
// machines.
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "crypto/body_seal.h"
#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/key_tree.h"
#include "crypto/signing.h"
#include "tests/sync/federation.h"

namespace entente {
namespace {

constexpr size_t kRecordBytes = 300;

void Sign(benchmark::State& state) {
  SeededEntropy entropy(1);
  const crypto::SigningKey key = crypto::SigningKey::Generate(entropy);
  const std::string message = entropy.Bytes(kRecordBytes);
  for (auto _ : state) benchmark::DoNotOptimize(key.Sign(message));
}
BENCHMARK(Sign);

void Verify(benchmark::State& state) {
  SeededEntropy entropy(1);
  const crypto::SigningKey key = crypto::SigningKey::Generate(entropy);
  const std::string message = entropy.Bytes(kRecordBytes);
  const Signature signature = key.Sign(message);
  for (auto _ : state) {
    benchmark::DoNotOptimize(crypto::Verify(key.public_key(), message, signature.view()));
  }
}
BENCHMARK(Verify);

void Seal(benchmark::State& state) {
  SystemEntropy entropy;
  const crypto::Secret32 key = entropy.Draw<crypto::Secret32>();
  const std::string plain = entropy.Bytes(static_cast<size_t>(state.range(0)));
  crypto::EntryHeader header;
  for (auto _ : state) benchmark::DoNotOptimize(crypto::SealBody(key, header, plain, entropy));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Seal)->Arg(kRecordBytes)->Arg(64 << 10);

void Open(benchmark::State& state) {
  SystemEntropy entropy;
  const crypto::Secret32 key = entropy.Draw<crypto::Secret32>();
  crypto::EntryHeader header;
  const std::string body =
      *crypto::SealBody(key, header, entropy.Bytes(static_cast<size_t>(state.range(0))), entropy);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::OpenBody(key, header, body));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Open)->Arg(kRecordBytes)->Arg(64 << 10);

void EntryKeyInOrder(benchmark::State& state) {
  SeededEntropy entropy(1);
  crypto::EntryKeys keys(entropy.Draw<crypto::Secret32>());
  uint32_t leaf = 0;
  for (auto _ : state) benchmark::DoNotOptimize(keys.Key(leaf++ % crypto::kTreeLeaves));
}
BENCHMARK(EntryKeyInOrder);

void SealChunk(benchmark::State& state) {
  SystemEntropy entropy;
  const crypto::FileSealer sealer(entropy.Draw<crypto::Secret32>(), crypto::kChunkBytes * 2);
  const std::string plain = entropy.Bytes(crypto::kChunkBytes);
  for (auto _ : state) benchmark::DoNotOptimize(sealer.SealChunk(0, plain));
  state.SetBytesProcessed(state.iterations() * crypto::kChunkBytes);
}
BENCHMARK(SealChunk);

void Sha256OfAChunk(benchmark::State& state) {
  const std::string plain(crypto::kChunkBytes, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(crypto::Sha256(plain));
  state.SetBytesProcessed(state.iterations() * crypto::kChunkBytes);
}
BENCHMARK(Sha256OfAChunk);

// Everything a node does for one write of `n` records but the disk: seal, tree, one signed head.
void Append(benchmark::State& state) {
  sync::Federation f({"XA", "XB"});
  f.TrustAll();
  const std::string text(kRecordBytes, 'x');
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) {
      if (!f.Write(f["XA"], {"XA", "XB"}, text).ok()) state.SkipWithError("append");
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Append)->Arg(1);

// Everything the other side does for a batch of `n` but the disk: verify, decrypt, decode, keep.
void Apply(benchmark::State& state) {
  sync::Federation f({"XA", "XB"});
  f.TrustAll();
  const std::string text(kRecordBytes, 'x');
  for (auto _ : state) {
    state.PauseTiming();
    f.on_frame = nullptr;
    for (int64_t i = 0; i < state.range(0); ++i) {
      if (!f.Write(f["XA"], {"XA", "XB"}, text).ok()) state.SkipWithError("append");
    }
    state.ResumeTiming();
    f.Connect(f["XA"], f["XB"]);
    f.Settle();
    state.PauseTiming();
    f.Disconnect(f["XA"]);
    f["XB"].opened.clear();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Apply)->Arg(1)->Arg(1000);

}  // namespace
}  // namespace entente

int main(int argc, char** argv) {
  if (!entente::crypto::Init().ok()) return 1;
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
