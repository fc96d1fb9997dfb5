// The card of a classifier as JSON, between the head of its file and the weights.
#pragma once

#include <string>
#include <string_view>

#include "judges/classifier_card.h"

namespace safeguard::judges {

std::string CardJson(const ClassifierCard& card);

// Sets `complaint` to the first thing wrong; the card is then of no use.
ClassifierCard ReadCardJson(std::string_view bytes, std::string& complaint);

}  // namespace safeguard::judges
