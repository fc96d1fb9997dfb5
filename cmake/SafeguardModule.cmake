# Build rules shared by every module. The only place that names compiler flags.

option(SAFEGUARD_WERROR "Treat warnings as errors" OFF)
option(SAFEGUARD_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(SAFEGUARD_BENCH "Build bench/" OFF)
set(SAFEGUARD_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

add_library(safeguard_flags INTERFACE)
target_compile_features(safeguard_flags INTERFACE cxx_std_23)
target_compile_options(safeguard_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wcast-qual -Wundef -Wimplicit-fallthrough
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC bug 105651: false alarm on "x" + std::string
  $<$<BOOL:${SAFEGUARD_WERROR}>:-Werror>)
target_include_directories(safeguard_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
if(SAFEGUARD_SANITIZE)
  target_compile_options(safeguard_flags INTERFACE
    -fsanitize=${SAFEGUARD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(safeguard_flags INTERFACE -fsanitize=${SAFEGUARD_SANITIZE})
endif()
if(SAFEGUARD_FUZZ)
  target_compile_options(safeguard_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# safeguard_module(engine SOURCES ... HEADERS ... TESTS ... USES base ... LINKS PkgConfig::X ...)
#   USES   modules of ours, by name: the only ones whose headers it may include (tests/tidy checks)
#   LINKS  third-party targets, private to the module
function(safeguard_module name)
  cmake_parse_arguments(M "" "" "SOURCES;HEADERS;TESTS;USES;LINKS" ${ARGN})
  add_library(safeguard_${name} STATIC ${M_SOURCES})
  add_library(safeguard::${name} ALIAS safeguard_${name})
  target_sources(safeguard_${name} PUBLIC
    FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/src" FILES ${M_HEADERS})
  set_target_properties(safeguard_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON LINKER_LANGUAGE CXX)
  list(TRANSFORM M_USES PREPEND safeguard::)
  target_link_libraries(safeguard_${name} PUBLIC ${M_USES} PRIVATE safeguard_flags ${M_LINKS})
  if(BUILD_TESTING AND M_TESTS)
    add_executable(${name}_test ${M_TESTS})
    target_link_libraries(${name}_test PRIVATE
      safeguard::${name} safeguard_flags GTest::gmock GTest::gtest_main ${RAPIDCHECK_LIBRARY} ${M_LINKS})
    target_include_directories(${name}_test SYSTEM PRIVATE "${RAPIDCHECK_INCLUDE}")
    target_compile_definitions(${name}_test PRIVATE SAFEGUARD_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    include(GoogleTest)
    gtest_discover_tests(${name}_test PROPERTIES LABELS unit DISCOVERY_TIMEOUT 60)
  endif()
endfunction()

# safeguard_fuzzer(policy_reader USES moderation): fuzz/policy_reader_fuzzer.cc with its seed corpus
# fuzz/corpus/policy_reader/. Always built as a replay of the corpus, run as a test; with
# SAFEGUARD_FUZZ also as a libFuzzer target.
function(safeguard_fuzzer name)
  cmake_parse_arguments(M "" "" "USES;LINKS" ${ARGN})
  list(TRANSFORM M_USES PREPEND safeguard::)
  if(SAFEGUARD_FUZZ)
    add_executable(${name}_fuzzer ${name}_fuzzer.cc)
    target_link_libraries(${name}_fuzzer PRIVATE ${M_USES} safeguard_flags ${M_LINKS} -fsanitize=fuzzer)
    return()
  endif()
  add_executable(${name}_replay ${name}_fuzzer.cc replay_main.cc)
  target_link_libraries(${name}_replay PRIVATE ${M_USES} safeguard_flags ${M_LINKS})
  add_test(NAME fuzz_replay_${name} COMMAND ${name}_replay "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
  set_tests_properties(fuzz_replay_${name} PROPERTIES LABELS fuzz TIMEOUT 60)
endfunction()
