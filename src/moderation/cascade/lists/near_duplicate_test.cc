#include "moderation/cascade/lists/near_duplicate.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "moderation/cascade/lists/near_index.h"
#include "moderation/lists.h"

namespace safeguard::moderation::lists {
namespace {

const std::string kScam =
    "Congratulations! You have been selected to receive a free gift card. To claim your prize, "
    "send your bank details and a processing fee of 20 dollars to the address below today.";

double JaccardOf(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  const std::set<std::uint64_t> left(a.begin(), a.end());
  const auto both = std::ranges::count_if(b, [&](std::uint64_t s) { return left.contains(s); });
  return static_cast<double>(both) /
         static_cast<double>(a.size() + b.size() - static_cast<std::size_t>(both));
}

Fingerprint Of(const std::string& text) {
  return MakeFingerprint(Shingles(text, kShinglesMax));
}

TEST(Fingerprint, CaseSignsAndSpacingDoNotCount) {
  EXPECT_EQ(FingerprintText(Of("Hello,   WORLD of (many) texts - and more of them to come!")),
            FingerprintText(Of("hello world of many texts and more of them to come")));
}

TEST(Fingerprint, IsReadBack) {
  const std::string text = NearFingerprint(kScam).value();
  EXPECT_EQ(FingerprintText(ParseFingerprint(text).value()), text);
  EXPECT_FALSE(ParseFingerprint(text + "0"));
  EXPECT_FALSE(ParseFingerprint("mh1:12:" + std::string(256, '0'))) << "too few shingles";
  EXPECT_FALSE(ParseFingerprint("mh1:60:" + std::string(256, 'g')));
  EXPECT_FALSE(ParseFingerprint("mh1"));
}

TEST(Fingerprint, RefusesWhatSaysTooLittle) {
  EXPECT_EQ(NearFingerprint("too short").error().code, ErrorCode::kInvalidInput);
}

TEST(Fingerprint, EstimatesTheShareOfCommonShingles) {
  // Over many pairs the mean error vanishes; each stays within five standard deviations.
  double sum = 0;
  int pairs = 0;
  EXPECT_TRUE(rc::check([&] {
    const auto text = rc::gen::container<std::string>(120, rc::gen::inRange('a', 'q'));
    const std::string a = *text;
    const std::string b = a.substr(0, *rc::gen::inRange<std::size_t>(60, 120)) + *text;
    const double estimated = Similarity(Of(a), Of(b));
    const double truth = JaccardOf(Shingles(a, kShinglesMax), Shingles(b, kShinglesMax));
    RC_ASSERT(std::abs(estimated - truth) < 5 * 0.0625);
    sum += estimated - truth;
    ++pairs;
  }));
  EXPECT_LT(std::abs(sum / pairs), 0.02);
}

TEST(NearIndex, FindsAChangedWordAndNoOtherText) {
  NearIndex index;
  index.Add(Of(kScam), 0.8);
  std::string changed = kScam;
  changed.replace(changed.find("20 dollars"), 10, "25 euros");
  ASSERT_EQ(index.Find(changed).size(), 1U);
  EXPECT_EQ(index.Find(kScam).front().similarity, 1);
  EXPECT_TRUE(index
                  .Find("Your order has been shipped and will reach you on Monday; the driver "
                        "needs a signature and a form of identity.")
                  .empty());
  EXPECT_TRUE(index.Find(kScam.substr(0, 60)).empty());
  EXPECT_TRUE(index.Find("").empty());
}

TEST(NearIndex, IsNotMisledByTheLengthOfRepeatedText) {
  NearIndex index;
  index.Add(Of(kScam), 0.8);
  std::string repeated;
  for (int i = 0; i < 2000; ++i) {
    repeated += kScam + " ";
  }
  EXPECT_EQ(index.Find(repeated).size(), 1U) << "the same shingles, again and again";
}

}  // namespace
}  // namespace safeguard::moderation::lists
