#include "apps/output/report_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/fake_services.h"

namespace safeguard::apps {
namespace {

using testing::HasSubstr;

TEST(ReportFilesTest, EachFormByItsEnding) {
  const TestFolder folder;
  eval::Report report;
  report.policy.id = "spam";
  ReportChoice choice;
  choice.files = {folder.Path("a.html"), folder.Path("b.JSON"), folder.Path("c.md")};
  ASSERT_TRUE(CheckReports(choice));
  ASSERT_TRUE(WriteReports(choice, report, eval::RenderJson(report)));
  EXPECT_THAT(folder.Read("a.html"), HasSubstr("<!doctype html>"));
  EXPECT_THAT(folder.Read("b.JSON"), HasSubstr("\"policy\""));
  EXPECT_THAT(folder.Read("c.md"), HasSubstr("# spam"));
  choice.files = {folder.Path("d.html")};
  choice.beside = {folder.Path("b.JSON")};
  ASSERT_TRUE(CheckReports(choice));
  EXPECT_TRUE(WriteReports(choice, report, ""));
}

TEST(ReportFilesTest, WhatCannotBeDoneIsTold) {
  const TestFolder folder;
  EXPECT_THAT(CheckReports({.files = {"out.pdf"}, .beside = {}}).error().hint,
              HasSubstr(".html, .json or .md"));
  EXPECT_THAT(CheckReports({.files = {"a.md"}, .beside = {"b.json"}}).error().message,
              HasSubstr("--beside goes with an HTML report"));
  const ReportChoice not_there{.files = {folder.Path("a.html")},
                               .beside = {folder.Path("none.json")}};
  EXPECT_EQ(WriteReports(not_there, {}, "").error().code, ErrorCode::kNotFound);
  const ReportChoice no_report{.files = {folder.Path("a.html")},
                               .beside = {folder.Write("x.json", "{}")}};
  EXPECT_THAT(WriteReports(no_report, {}, "").error().message, HasSubstr("is no report"));
  EXPECT_FALSE(WriteReports({.files = {folder.Path("no/a.md")}, .beside = {}}, {}, ""));
}

TEST(ReportFilesTest, Today) {
  EXPECT_EQ(TodayText().size(), 10U);
}

}  // namespace
}  // namespace safeguard::apps
