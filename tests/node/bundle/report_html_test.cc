// A report shows text of other bodies and obeys none of it.
#include "node/bundle/report_html.h"

#include "gtest/gtest.h"

namespace entente::bundle {
namespace {

Report WithText(const std::string& text) {
  Report report;
  report.title = text;
  report.introduction = {text};
  ReportSection section;
  section.heading = text;
  section.paragraphs = {text};
  section.table.columns = {text};
  section.table.rows = {{text}};
  report.sections = {section};
  return report;
}

TEST(ReportHtmlTest, MarkupOfOthersIsShownAndNotObeyed) {
  const std::string html =
      RenderHtml(WithText("<script>alert(1)</script><img src=x onerror='y'>\"&"));
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(html.find("&#39;y&#39;&gt;&quot;&amp;"), std::string::npos);
}

TEST(ReportHtmlTest, WhatHidesOrReordersTextIsMadeVisible) {
  const std::string html = RenderHtml(WithText("exe\u202Efdp.\u200B"));
  EXPECT_EQ(html.find("\u202E"), std::string::npos);
  EXPECT_EQ(html.find("\u200B"), std::string::npos);
}

TEST(ReportHtmlTest, ThePageNeedsNothingFromOutside) {
  const std::string html = RenderHtml(WithText("x"));
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "href=", "url("}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
}

TEST(ReportHtmlTest, ATableWithoutRowsIsLeftOut) {
  Report report = WithText("x");
  report.sections[0].table.rows.clear();
  EXPECT_EQ(RenderHtml(report).find("<table"), std::string::npos);
}

}  // namespace
}  // namespace entente::bundle
