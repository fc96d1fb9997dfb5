// A deterministic automaton over bytes whose states are made when they are first reached.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/runtime/expression.h"

namespace safeguard::engine {

using StateId = std::uint32_t;
inline constexpr StateId kDeadState = 0;  // no answer can follow

inline constexpr std::size_t kAutomatonStatesMax = 1 << 16;
// States that one search for a way to an end may visit: only intersections are searched.
inline constexpr std::size_t kAliveSearchMax = 1 << 13;

// Thread-safe. Every state but kDeadState can reach an accepting one. When the room is spent,
// failed() is true for ever, new states are dead, and whoever sees that must give up.
class Automaton {
 public:
  // The room of `arena` is shared by what was built in it and what the states will need.
  Automaton(ExpressionArena arena, ExpressionId start);

  [[nodiscard]] StateId start() const { return start_; }
  StateId Next(StateId state, unsigned char byte);
  StateId Walk(StateId state, std::string_view bytes);
  [[nodiscard]] bool Accepts(StateId state) const;

  // The bytes that every answer goes on with: until the answer may end or two bytes are possible,
  // at most `bytes_max`.
  struct Run {
    std::string bytes;
    StateId end = kDeadState;
  };
  Run OnlyContinuation(StateId state, std::size_t bytes_max);
  // The bytes that may come next.
  ByteSet NextBytes(StateId state);

  [[nodiscard]] bool failed() const;
  // kLimit, for the user.
  static std::unexpected<Error> Failure();
  // From 0 (fresh) to 1 (full).
  [[nodiscard]] double used() const;

  // Takes the lock once for many calls of Next.
  class Walker {
   public:
    explicit Walker(Automaton& automaton) : automaton_(automaton), lock_(automaton.mutex_) {}
    StateId Next(StateId state, unsigned char byte) { return automaton_.Step(state, byte); }

   private:
    Automaton& automaton_;
    std::lock_guard<std::mutex> lock_;
  };

 private:
  static constexpr StateId kUnknown = 0xFFFFFFFF;
  enum class Life : std::uint8_t { kUnknown, kAlive, kDead };
  struct State {
    ExpressionId expression = kNothing;
    Life life = Life::kUnknown;
  };

  void FindClasses();
  StateId StateOf(ExpressionId expression);
  // The state after `byte`, dead ones included as themselves.
  StateId Raw(StateId state, unsigned byte_class);
  StateId Step(StateId state, unsigned char byte);
  bool IsAlive(StateId state);

  mutable std::mutex mutex_;
  ExpressionArena arena_;                  // guarded by mutex_ from here on
  std::array<std::uint8_t, 256> classes_;  // bytes that no set tells apart share a class
  std::vector<unsigned char> representatives_;
  std::vector<std::uint16_t> class_sizes_;
  std::vector<State> states_;
  std::vector<StateId> next_;  // [states, classes]: as Raw
  std::vector<StateId> state_of_expression_;
  bool failed_ = false;
  StateId start_ = kDeadState;
};

}  // namespace safeguard::engine
