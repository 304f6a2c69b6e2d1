#include "node/cli/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "node/cli/text.h"

namespace entente::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kColumnMin = 6;

}  // namespace

void Table::Add(std::vector<std::string> cells) {
  cells.resize(heads_.size());
  for (std::string& cell : cells) cell = Clean(cell);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::Widths() const {
  std::vector<size_t> widths(heads_.size());
  for (size_t i = 0; i < heads_.size(); ++i) {
    widths[i] = DisplayWidth(heads_[i]);
    for (const auto& row : rows_) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  const size_t gaps = kGap * (heads_.size() - 1);
  while (std::accumulate(widths.begin(), widths.end(), gaps) > kLineWidth) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kColumnMin) break;
    --*widest;
  }
  return widths;
}

std::string Table::Render() const {
  if (rows_.empty()) return "";
  const std::vector<size_t> widths = Widths();
  std::string out;
  const auto add_row = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      line += PadTo(Fit(cells[i], widths[i]), widths[i]);
      line.append(kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  add_row(heads_);
  for (const auto& row : rows_) add_row(row);
  return out;
}

void Facts::Add(std::string label, const std::string& text) {
  if (!text.empty()) lines_.emplace_back(std::move(label), text);
}

std::string Facts::Render() const {
  size_t width = 0;
  for (const auto& [label, text] : lines_) width = std::max(width, DisplayWidth(label));
  std::string out;
  for (const auto& [label, text] : lines_) {
    out += PadTo(label, width + kGap) + CleanLines(text, width + kGap) + "\n";
  }
  return out;
}

}  // namespace entente::cli
