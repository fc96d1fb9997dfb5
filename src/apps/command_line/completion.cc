#include "apps/command_line/completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <vector>

namespace safeguard::apps {
namespace {

// What may follow an option, or stand as an argument.
enum class Values { kNone, kAnything, kFiles, kFolders, kPolicies, kChoices };

struct Word {
  std::vector<std::string> names;  // "--policy", "-p"; empty for a positional argument
  std::string help;
  Values values = Values::kNone;
  std::string choices;  // separated by spaces
};

struct Command {
  std::string path;  // "policy lint"; empty for the top
  std::string help;
  std::vector<Word> options;
  std::vector<Word> arguments;
  std::vector<const CLI::App*> children;
};

Values ValuesOf(const std::string& type) {
  if (type.find('|') != std::string::npos) {
    return Values::kChoices;
  }
  if (type == "FILE") {
    return Values::kFiles;
  }
  if (type == "DIR") {
    return Values::kFolders;
  }
  return type == "POLICY" ? Values::kPolicies : Values::kAnything;
}

Word WordOf(const CLI::Option& option) {
  Word word;
  for (const std::string& name : option.get_lnames()) {
    word.names.push_back("--" + name);
  }
  for (const std::string& name : option.get_snames()) {
    word.names.push_back("-" + name);
  }
  word.help = option.get_description();
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();
    word.values = ValuesOf(type);
    if (word.values == Values::kChoices) {
      word.choices = type;
      for (char& c : word.choices) {
        c = c == '|' ? ' ' : c;
      }
    }
  }
  return word;
}

void Collect(const CLI::App& app, const std::string& path, std::vector<Command>& commands) {
  Command command;
  command.path = path;
  command.help = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    Word word = WordOf(*option);
    (word.names.empty() ? command.arguments : command.options).push_back(std::move(word));
  }
  command.children = app.get_subcommands([](const CLI::App*) { return true; });
  commands.push_back(command);
  for (const CLI::App* child : command.children) {
    Collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), commands);
  }
}

// In single quotes for any of the three shells.
std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("’") : std::string(1, c);
  }
  return out + "'";
}

std::string BashValues(const Word& word) {
  switch (word.values) {
    case Values::kFiles:
      return "COMPREPLY=($(compgen -f -- \"$current\"))";
    case Values::kFolders:
      return "COMPREPLY=($(compgen -d -- \"$current\"))";
    case Values::kPolicies:
      return "COMPREPLY=($(compgen -W \"$(safeguard policy list --names 2>/dev/null)\" -f -- "
             "\"$current\"))";
    case Values::kChoices:
      return fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$current\"))", word.choices);
    case Values::kNone:
    case Values::kAnything:
      break;
  }
  return "COMPREPLY=()";
}

std::string BashCommand(const Command& command) {
  std::string words;
  for (const CLI::App* child : command.children) {
    words += child->get_name() + " ";
  }
  std::string cases;
  for (const Word& option : command.options) {
    std::string pattern;
    for (const std::string& name : option.names) {
      words += name + " ";
      pattern += (pattern.empty() ? "" : "|") + name;
    }
    if (option.values != Values::kNone) {
      cases += fmt::format("        {}) {}; return ;;\n", pattern, BashValues(option));
    }
  }
  std::string out = fmt::format("    {})\n", Quoted(command.path));
  if (!cases.empty()) {
    out += "      case \"$previous\" in\n" + cases + "      esac\n";
  }
  if (!command.arguments.empty() && command.arguments.front().values != Values::kAnything) {
    out += fmt::format("      if [[ $current != -* ]]; then {}; return; fi\n",
                       BashValues(command.arguments.front()));
  }
  return out +
         fmt::format("      COMPREPLY=($(compgen -W {} -- \"$current\")) ;;\n", Quoted(words));
}

std::string BashScript(const std::vector<Command>& commands) {
  std::string known;
  for (const Command& command : commands) {
    known += Quoted(command.path) + "|";
  }
  known.pop_back();
  std::string out =
      "# bash completion for safeguard; made by `safeguard completion bash`\n"
      "_safeguard() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  local path='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"${path:+$path }$word\" in\n";
  out += "      " + known + ") path=\"${path:+$path }$word\" ;;\n    esac\n  done\n";
  out += "  compopt -o filenames 2>/dev/null\n  case \"$path\" in\n";
  for (const Command& command : commands) {
    out += BashCommand(command);
  }
  return out + "  esac\n}\ncomplete -F _safeguard safeguard\n";
}

// _arguments reads ':' and brackets in a description.
std::string ZshText(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') {
      out += '\\';
    }
    out += c == '\'' ? std::string("’") : std::string(1, c);
  }
  return out;
}

std::string ZshValues(const Word& word) {
  switch (word.values) {
    case Values::kFiles:
      return ":file:_files";
    case Values::kFolders:
      return ":folder:_files -/";
    case Values::kPolicies:
      return ":policy:_safeguard_policies";
    case Values::kChoices:
      return ":value:(" + word.choices + ")";
    case Values::kAnything:
      return ":value: ";
    case Values::kNone:
      break;
  }
  return "";
}

std::string ZshCommand(const Command& command) {
  std::string out = fmt::format("    {})\n", Quoted(command.path));
  if (!command.children.empty()) {
    out += "      local -a commands=(\n";
    for (const CLI::App* child : command.children) {
      out += fmt::format("        '{}:{}'\n", child->get_name(), ZshText(child->get_description()));
    }
    out += "      )\n      _describe command commands";
    if (command.options.size() <= 1) {  // a mere group: its only option is --help
      return out + " ;;\n";
    }
    out += "\n";
  }
  out += "      _arguments";
  for (const Word& option : command.options) {
    for (const std::string& name : option.names) {
      out += fmt::format(" \\\n        '*{}[{}]{}'", name, ZshText(option.help), ZshValues(option));
    }
  }
  for (const Word& argument : command.arguments) {
    out += fmt::format(" \\\n        '*{}'", ZshValues(argument));
  }
  return out + " ;;\n";
}

std::string ZshScript(const std::vector<Command>& commands) {
  std::string known;
  for (const Command& command : commands) {
    known += Quoted(command.path) + "|";
  }
  known.pop_back();
  std::string out =
      "#compdef safeguard\n# zsh completion for safeguard; made by `safeguard completion zsh`\n"
      "_safeguard_policies() {\n"
      "  local -a names=(${(f)\"$(safeguard policy list --names 2>/dev/null)\"})\n"
      "  _alternative 'names:shipped policy:compadd -a names' 'files:file:_files'\n}\n"
      "_safeguard() {\n"
      "  local path_words='' word\n"
      "  integer used=1\n"
      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
      "    case \"${path_words:+$path_words }$word\" in\n";
  out += "      " + known +
         ") path_words=\"${path_words:+$path_words }$word\"; (( ++used )) ;;\n    esac\n  done\n"
         "  words=(safeguard \"${(@)words[used+1,-1]}\")\n  (( CURRENT -= used - 1 ))\n"
         "  case \"$path_words\" in\n";
  for (const Command& command : commands) {
    out += ZshCommand(command);
  }
  return out +
         "  esac\n}\nif [[ $funcstack[1] == _safeguard ]]; then _safeguard \"$@\"; else compdef "
         "_safeguard safeguard; fi\n";
}

std::string FishValues(const Word& word) {
  switch (word.values) {
    case Values::kNone:
      return "";
    case Values::kFiles:
    case Values::kFolders:
      return " -r -F";
    case Values::kPolicies:
      return " -r -F -a '(safeguard policy list --names 2>/dev/null)'";
    case Values::kChoices:
      return fmt::format(" -x -a {}", Quoted(word.choices));
    case Values::kAnything:
      break;
  }
  return " -x";
}

// True when the words so far have led to `command` and no further.
std::string FishCondition(const Command& command) {
  std::string condition;
  std::string word;
  for (const char c : command.path + " ") {
    if (c != ' ') {
      word += c;
      continue;
    }
    if (!word.empty()) {
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    }
    word.clear();
  }
  std::string children;
  for (const CLI::App* child : command.children) {
    children += " " + child->get_name();
  }
  if (!children.empty()) {
    condition +=
        (condition.empty() ? "" : "; and ") + ("not __fish_seen_subcommand_from" + children);
  }
  return Quoted(condition);
}

std::string FishScript(const std::vector<Command>& commands) {
  std::string out =
      "# fish completion for safeguard; made by `safeguard completion fish`\n"
      "complete -c safeguard -f\n";
  for (const Command& command : commands) {
    const std::string start = "complete -c safeguard -n " + FishCondition(command);
    for (const CLI::App* child : command.children) {
      out += fmt::format("{} -a {} -d {}\n", start, child->get_name(),
                         Quoted(child->get_description()));
    }
    for (const Word& option : command.options) {
      out += start;
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      out += FishValues(option) + " -d " + Quoted(option.help) + "\n";
    }
    for (const Word& argument : command.arguments) {
      if (argument.values == Values::kPolicies) {
        out += start + " -F -a '(safeguard policy list --names 2>/dev/null)'\n";
      } else if (argument.values == Values::kChoices) {
        out += start + " -a " + Quoted(argument.choices) + "\n";
      }
    }
  }
  return out;
}

}  // namespace

Result<std::string> CompletionScript(const CLI::App& app, const std::string& shell) {
  std::vector<Command> commands;
  Collect(app, "", commands);
  if (shell == "bash") {
    return BashScript(commands);
  }
  if (shell == "zsh") {
    return ZshScript(commands);
  }
  if (shell == "fish") {
    return FishScript(commands);
  }
  return Fail(ErrorCode::kInvalidInput, "there is no completion for " + shell,
              "choose bash, zsh or fish");
}

}  // namespace safeguard::apps
