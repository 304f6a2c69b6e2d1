#include "node/bundle/bag.h"

#include <algorithm>

namespace entente::bundle {
namespace {

constexpr std::string_view kPayload = "data/";
constexpr std::string_view kOxum = "Payload-Oxum: ";
constexpr size_t kNameBytesMax = 100;

bool IsPayload(std::string_view path) { return path.starts_with(kPayload); }

bool Plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

void DigestWriter::Update(std::string_view bytes) {
  size_ += bytes.size();
  sha256_.Update(bytes);
  sha512_.Update(bytes);
}

Digests DigestWriter::Finish() { return {size_, sha256_.Finish(), sha512_.Finish()}; }

Digests DigestsOf(std::string_view bytes) {
  DigestWriter writer;
  writer.Update(bytes);
  return writer.Finish();
}

std::map<std::string, std::string> Manifests(const std::map<std::string, Digests>& files) {
  std::map<std::string, std::string> out;
  std::map<std::string, Digests> tags;
  std::string sha256;
  std::string sha512;
  for (const auto& [path, digests] : files) {
    if (!IsPayload(path)) {
      tags.emplace(path, digests);
      continue;
    }
    sha256 += Cat(digests.sha256.hex(), "  ", path, "\n");
    sha512 += Cat(digests.sha512.hex(), "  ", path, "\n");
  }
  tags.emplace("manifest-sha256.txt", DigestsOf(sha256));
  tags.emplace("manifest-sha512.txt", DigestsOf(sha512));
  out["manifest-sha256.txt"] = std::move(sha256);
  out["manifest-sha512.txt"] = std::move(sha512);
  for (const auto& [path, digests] : tags) {
    out["tagmanifest-sha256.txt"] += Cat(digests.sha256.hex(), "  ", path, "\n");
    out["tagmanifest-sha512.txt"] += Cat(digests.sha512.hex(), "  ", path, "\n");
  }
  return out;
}

std::string WithPayloadOxum(std::string_view bag_info, uint64_t bytes, uint64_t files) {
  std::string out;
  while (!bag_info.empty()) {
    const size_t end = std::min(bag_info.find('\n'), bag_info.size() - 1);
    const std::string_view line = bag_info.substr(0, end + 1);
    out += line.starts_with(kOxum)
               ? Cat(kOxum, std::to_string(bytes), ".", std::to_string(files), "\n")
               : std::string(line);
    bag_info.remove_prefix(end + 1);
  }
  return out;
}

std::string EnclosedName(size_t position, std::string_view name) {
  std::string out = Cat(std::to_string(position), "-");
  // The end of a long name says what kind of file it is.
  if (name.size() > kNameBytesMax) name.remove_prefix(name.size() - kNameBytesMax);
  for (const char c : name) out += Plain(c) ? c : '_';
  if (out.back() == '.') out.back() = '_';
  return out;
}

}  // namespace entente::bundle
