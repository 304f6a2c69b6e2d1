// Lists for people: aligned columns that fit 100 characters; the widest give way first.
#pragma once

#include <string>
#include <vector>

namespace entente::cli {

inline constexpr size_t kLineWidth = 100;

class Table {
 public:
  explicit Table(std::vector<std::string> heads) : heads_(std::move(heads)) {}
  // Cells are cleaned here. As many as there are heads.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // With a line of heads; no blanks at line ends; empty when there are no rows.
  std::string Render() const;

 private:
  std::vector<size_t> Widths() const;
  std::vector<std::string> heads_;
  std::vector<std::vector<std::string>> rows_;
};

// "Label   text" lines for one thing; texts are cleaned, empty ones left out.
class Facts {
 public:
  void Add(std::string label, const std::string& text);
  std::string Render() const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace entente::cli
