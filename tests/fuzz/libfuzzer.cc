// All targets as one libFuzzer program; ENTENTE_FUZZ_TARGET in the environment says which one runs.
// tests/fuzz/run builds it, keeps its corpora and tells what it reached.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/fuzz/targets.h"

namespace {

const entente::fuzz::Target& TheTarget() {
  static const entente::fuzz::Target target = [] {
    const char* name = std::getenv("ENTENTE_FUZZ_TARGET");
    return entente::fuzz::FindTarget(name == nullptr ? "" : name).make();
  }();
  return target;
}

}  // namespace

// With ENTENTE_FUZZ_SEEDS=FOLDER the target's own good inputs are written there first.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const char* folder = std::getenv("ENTENTE_FUZZ_SEEDS"); folder != nullptr) {
    std::filesystem::create_directories(folder);
    for (size_t i = 0; i < TheTarget().seeds.size(); ++i) {
      const std::string path = std::string(folder) + "/seed-" + std::to_string(i);
      std::ofstream(path, std::ios::binary) << TheTarget().seeds[i];
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  TheTarget().run({reinterpret_cast<const char*>(data), size});
  return 0;
}
