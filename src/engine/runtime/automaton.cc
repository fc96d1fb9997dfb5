#include "engine/runtime/automaton.h"

#include <map>
#include <utility>

namespace safeguard::engine {

Automaton::Automaton(ExpressionArena arena, ExpressionId start) : arena_(std::move(arena)) {
  FindClasses();
  StateOf(kNothing);  // state 0
  states_[kDeadState].life = Life::kDead;
  failed_ = arena_.over_limit();
  const StateId first = StateOf(start);
  start_ = !failed_ && IsAlive(first) ? first : kDeadState;
}

void Automaton::FindClasses() {
  classes_.fill(0);
  std::size_t count = 1;
  for (const ByteSet& set : arena_.byte_sets()) {
    std::map<std::pair<std::uint8_t, bool>, std::uint8_t> split;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto key = std::pair(classes_[byte], set.test(byte));
      classes_[byte] = split.emplace(key, static_cast<std::uint8_t>(split.size())).first->second;
    }
    count = split.size();
    if (count == 256) {
      break;
    }
  }
  representatives_.resize(count);
  class_sizes_.resize(count);
  for (unsigned byte = 0; byte < 256; ++byte) {
    representatives_[classes_[byte]] = static_cast<unsigned char>(byte);
    ++class_sizes_[classes_[byte]];
  }
}

StateId Automaton::StateOf(ExpressionId expression) {
  if (expression >= state_of_expression_.size()) {
    state_of_expression_.resize(arena_.size(), kUnknown);
  }
  StateId& state = state_of_expression_[expression];
  if (state == kUnknown) {
    if (states_.size() >= kAutomatonStatesMax) {
      failed_ = true;
      return kDeadState;
    }
    state = static_cast<StateId>(states_.size());
    // Only an intersection can be empty without being kNothing.
    const bool sure = !arena_.MayBeVoid(expression) || arena_.MatchesEmpty(expression);
    states_.push_back({expression, sure ? Life::kAlive : Life::kUnknown});
    next_.resize(next_.size() + representatives_.size(), kUnknown);
  }
  return state;
}

StateId Automaton::Raw(StateId state, unsigned byte_class) {
  const std::size_t slot = state * representatives_.size() + byte_class;
  if (next_[slot] != kUnknown) {
    return next_[slot];
  }
  if (failed_) {
    return kDeadState;
  }
  const ExpressionId expression =
      arena_.Derivative(states_[state].expression, representatives_[byte_class]);
  failed_ = failed_ || arena_.over_limit();
  const StateId next = failed_ ? kDeadState : StateOf(expression);
  if (failed_) {
    return kDeadState;
  }
  next_[slot] = next;
  return next;
}

StateId Automaton::Step(StateId state, unsigned char byte) {
  const unsigned byte_class = classes_[byte];
  const StateId next = Raw(state, byte_class);
  if (next == kDeadState || states_[next].life == Life::kAlive) {
    return next;
  }
  if (IsAlive(next)) {
    return next;
  }
  if (!failed_) {
    next_[state * representatives_.size() + byte_class] = kDeadState;
  }
  return kDeadState;
}

// Breadth first: long counted repetitions would lead a deep search far away from a near end. Every
// state on the way to the end that is found is alive; when none is found, all that were seen are
// dead.
bool Automaton::IsAlive(StateId state) {
  if (states_[state].life != Life::kUnknown) {
    return states_[state].life == Life::kAlive;
  }
  struct Visit {
    StateId state;
    std::size_t from;  // index in `seen`
  };
  std::vector<Visit> seen{{state, 0}};
  std::vector<bool> is_seen(states_.size());
  is_seen[state] = true;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    for (unsigned byte_class = 0; byte_class < representatives_.size(); ++byte_class) {
      const StateId next = Raw(seen[i].state, byte_class);
      if (failed_ || seen.size() > kAliveSearchMax) {
        failed_ = true;
        return false;
      }
      if (states_[next].life == Life::kAlive) {
        for (std::size_t on_way = i; states_[state].life != Life::kAlive;
             on_way = seen[on_way].from) {
          states_[seen[on_way].state].life = Life::kAlive;
        }
        return true;
      }
      is_seen.resize(states_.size());
      if (states_[next].life == Life::kUnknown && !is_seen[next]) {
        is_seen[next] = true;
        seen.push_back({next, i});
      }
    }
  }
  for (const Visit& dead : seen) {
    states_[dead.state].life = Life::kDead;
  }
  return false;
}

StateId Automaton::Next(StateId state, unsigned char byte) {
  const std::lock_guard lock(mutex_);
  return Step(state, byte);
}

StateId Automaton::Walk(StateId state, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  for (const char byte : bytes) {
    state = Step(state, static_cast<unsigned char>(byte));
    if (state == kDeadState) {
      break;
    }
  }
  return state;
}

bool Automaton::Accepts(StateId state) const {
  const std::lock_guard lock(mutex_);
  return arena_.MatchesEmpty(states_[state].expression);
}

Automaton::Run Automaton::OnlyContinuation(StateId state, std::size_t bytes_max) {
  const std::lock_guard lock(mutex_);
  Run run{.bytes = {}, .end = state};
  while (run.bytes.size() < bytes_max && !arena_.MatchesEmpty(states_[run.end].expression)) {
    StateId only = kDeadState;
    unsigned char byte = 0;
    std::size_t count = 0;
    for (unsigned c = 0; c < representatives_.size() && count <= 1; ++c) {
      const StateId next = Step(run.end, representatives_[c]);
      if (next != kDeadState) {
        only = next;
        byte = representatives_[c];
        count += class_sizes_[c];
      }
    }
    if (count != 1 || failed_) {
      break;
    }
    run.bytes += static_cast<char>(byte);
    run.end = only;
  }
  return run;
}

ByteSet Automaton::NextBytes(StateId state) {
  const std::lock_guard lock(mutex_);
  std::vector<bool> live(representatives_.size());
  for (unsigned c = 0; c < representatives_.size(); ++c) {
    live[c] = Step(state, representatives_[c]) != kDeadState;
  }
  ByteSet bytes;
  for (unsigned byte = 0; byte < 256; ++byte) {
    bytes.set(byte, live[classes_[byte]]);
  }
  return bytes;
}

bool Automaton::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

std::unexpected<Error> Automaton::Failure() {
  return Fail(ErrorCode::kLimit, "the answer's grammar needs too many states",
              "make the schema or the regular expression simpler: fewer nested repetitions, "
              "fewer alternatives, no pattern together with a large maxLength");
}

double Automaton::used() const {
  const std::lock_guard lock(mutex_);
  const double nodes = static_cast<double>(arena_.size()) / kExpressionNodesMax;
  const double states = static_cast<double>(states_.size()) / kAutomatonStatesMax;
  return nodes > states ? nodes : states;
}

}  // namespace safeguard::engine
