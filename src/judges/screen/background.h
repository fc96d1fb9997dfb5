// Everyday texts that no policy is about. They stand on the safe side when a policy's labelled
// cases are fitted: authors label what is near the line, and without these nothing says that a
// far-off text is harmless.
#pragma once

#include <array>
#include <string_view>

namespace safeguard::judges {

inline constexpr std::array<std::string_view, 48> kBackgroundTexts = {
    "The train leaves at nine from platform four.",
    "I baked bread this weekend and it turned out great.",
    "Can you explain how photosynthesis works?",
    "The new phone has a better camera than last year's model.",
    "Write a short poem about autumn leaves.",
    "Our team won the match in the last minute.",
    "What is the capital of Portugal?",
    "Please find the minutes of the meeting attached.",
    "My cat sleeps all day on the sofa.",
    "How do I sort a list of numbers in Python?",
    "Parliament passed the budget on Tuesday after a long debate.",
    "We visited the museum and had lunch by the river.",
    "She studies biology at the university.",
    "The weather is cold and windy today.",
    "I need a recipe for lentil soup.",
    "The film was long, but the actors were good.",
    "He plays the guitar in a small band.",
    "Translate this sentence into French, please.",
    "The company reported higher earnings this quarter.",
    "Tell me about the history of Rome.",
    "The jacket arrived on Tuesday and fits well, thank you.",
    "Does this bus stop at the hospital?",
    "Happy birthday! Hope you have a lovely day.",
    "The printer is out of paper again.",
    "I finished the second season last night and loved it.",
    "Which boss should I fight first in this level?",
    "The hotel was clean and breakfast was included.",
    "My son starts school in September.",
    "Could you send me the report by Friday?",
    "Great photo, where was it taken?",
    "The update fixed the crash on start-up for me.",
    "I prefer tea to coffee in the morning.",
    "Is there a vegetarian option on the menu?",
    "The garden needs water after a dry week.",
    "Let's meet at the station around six.",
    "The lecture on black holes was fascinating.",
    "My order has not arrived yet, can you check the status?",
    "I disagree with the author's second argument.",
    "The concert was sold out within an hour.",
    "He repaired the bicycle in the garage.",
    "What time does the library close?",
    "The soup tastes better with a little lemon.",
    "Our flight was delayed by two hours.",
    "I am learning Spanish with a friend.",
    "The battery lasts about a day and a half.",
    "Thanks for explaining, that makes sense now.",
    "The children built a snowman in the yard.",
    "Good morning everyone!",
};

}  // namespace safeguard::judges
