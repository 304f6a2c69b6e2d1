// One target as a libFuzzer program: build with -DENTENTE_FUZZ=ON, run build/…/fuzz_frame CORPUS.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const entente::fuzz::Target target = entente::fuzz::FindTarget(ENTENTE_FUZZ_TARGET);
  target.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
