#include "node/service/media_type.h"

#include <array>

namespace entente::service {
namespace {

struct Magic {
  size_t offset;
  std::string_view bytes;
  std::string_view type;
};

constexpr std::array kMagics = {
    Magic{0, "%PDF-", "application/pdf"},
    Magic{0, "\x89PNG\r\n\x1a\n", "image/png"},
    Magic{0, "\xff\xd8\xff", "image/jpeg"},
    Magic{0, "GIF8", "image/gif"},
    Magic{0, "II*", "image/tiff"},
    Magic{8, "WEBP", "image/webp"},
    Magic{4, "ftyp", "video/mp4"},
    Magic{8, "WAVE", "audio/wav"},
    Magic{0, "ID3", "audio/mpeg"},
    Magic{0, "OggS", "application/ogg"},
    Magic{0, "\x1a\x45\xdf\xa3", "video/x-matroska"},
    Magic{0, "PK\x03\x04", "application/zip"},
    Magic{0, "\x1f\x8b", "application/gzip"},
    Magic{0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
    Magic{257, "ustar", "application/x-tar"},
    Magic{0, "EVF\x09\x0d\x0a\xff", "application/x-ewf"},
    Magic{0, "SQLite format 3", "application/vnd.sqlite3"},
    Magic{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
    Magic{0, "{\\rtf", "application/rtf"},
    Magic{0,
          "\x7f"
          "ELF",
          "application/x-executable"},
    Magic{0, "MZ", "application/x-msdownload"},
};

bool LooksLikeText(std::string_view bytes) {
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    const bool control = u < 0x20 && u != '\n' && u != '\r' && u != '\t' && u != '\f';
    if (control || u == 0x7F) return false;
  }
  return !bytes.empty();
}

}  // namespace

std::string_view SniffMediaType(std::string_view first_bytes) {
  for (const Magic& magic : kMagics) {
    if (first_bytes.size() < magic.offset + magic.bytes.size()) continue;
    if (first_bytes.substr(magic.offset, magic.bytes.size()) == magic.bytes) return magic.type;
  }
  return LooksLikeText(first_bytes) ? "text/plain" : "application/octet-stream";
}

}  // namespace entente::service
