# Headers that most units include. They are compiled once for the modules, and once together with GoogleTest for the tests.
set(precompiled_headers
  <algorithm> <charconv> <chrono> <functional> <map> <memory> <optional> <set> <string> <thread> <vector>
  <absl/status/statusor.h> <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
  <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp> <boost/asio/redirect_error.hpp>
  <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp> <boost/unordered/unordered_flat_map.hpp> <fmt/format.h>)
# hiredis adds this definition to those that link it.
set(common_definitions _FILE_OFFSET_BITS=64)
set(empty_source ${CMAKE_BINARY_DIR}/empty.cc)
file(WRITE ${empty_source} "int main() {}\n")

# viewcount_precompile(TARGET FROM) lets a target use the precompiled headers of the target FROM. Both must be compiled
# with the same options. A build of single files does without them, so it notices a missing include.
function(viewcount_precompile target from)
  if(CMAKE_UNITY_BUILD)
    target_precompile_headers(${target} REUSE_FROM ${from})
    target_compile_definitions(${target} PRIVATE ${common_definitions})
  endif()
endfunction()

function(viewcount_module_headers name)
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${empty_source})
  target_precompile_headers(${name} PRIVATE ${precompiled_headers})
  target_link_libraries(${name} PRIVATE viewcount_options)
  target_compile_definitions(${name} PRIVATE ${common_definitions})
  target_compile_options(${name} PRIVATE ${ARGN})
endfunction()
viewcount_module_headers(viewcount_module_headers)
viewcount_module_headers(viewcount_fuzzed_headers ${viewcount_fuzzed_options})

# viewcount_module(NAME SOURCES a.cc … LINKS lib … [FUZZED]) makes the library viewcount_NAME from a folder of service/ or
# client/. Such a folder is called a module. FUZZED is for modules that a fuzzer tests.
function(viewcount_module name)
  cmake_parse_arguments(MODULE "FUZZED" "" "SOURCES;LINKS" ${ARGN})
  add_library(viewcount_${name} STATIC ${MODULE_SOURCES})
  target_link_libraries(viewcount_${name} PUBLIC ${MODULE_LINKS} PRIVATE $<BUILD_INTERFACE:viewcount_options>)
  target_include_directories(viewcount_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  if(MODULE_FUZZED AND VIEWCOUNT_FUZZ)
    target_compile_options(viewcount_${name} PRIVATE ${viewcount_fuzzed_options})
    viewcount_precompile(viewcount_${name} viewcount_fuzzed_headers)
  else()
    viewcount_precompile(viewcount_${name} viewcount_module_headers)
  endif()
endfunction()

# viewcount_embed(HEADER FILE VARIABLE [STRIP]) writes a header into the build folder, with the file as a C++
# string literal. Paths are relative to the source folder.
function(viewcount_embed header file variable)
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake)
  cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE input)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${header})
  set(strip OFF)
  if("STRIP" IN_LIST ARGN)
    set(strip ON)
  endif()
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${input} -DOUTPUT=${output} -DVARIABLE=${variable} -DSTRIP=${strip}
            -P ${script}
    DEPENDS ${input} ${script})
endfunction()

add_custom_target(sanitized_tests)
if(VIEWCOUNT_TESTS)
  # An executable, as the tests are, because it is not compiled as a library is.
  add_executable(viewcount_test_headers EXCLUDE_FROM_ALL ${empty_source})
  target_precompile_headers(viewcount_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h> ${precompiled_headers})
  target_link_libraries(viewcount_test_headers PRIVATE GTest::gtest GTest::gmock viewcount_options)
  target_compile_definitions(viewcount_test_headers PRIVATE ${common_definitions})
  target_compile_options(viewcount_test_headers PRIVATE ${viewcount_test_options})
endif()

# viewcount_test_program(NAME SOURCES a.cc … LINKS lib … [DEFINITIONS NAME=value …]) makes a program that tests run. It is
# compiled as tests are.
function(viewcount_test_program name)
  cmake_parse_arguments(PROGRAM "" "" "SOURCES;LINKS;DEFINITIONS" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  target_link_libraries(${name} PRIVATE ${PROGRAM_LINKS} viewcount_options)
  target_compile_options(${name} PRIVATE ${viewcount_test_options})
  # The precompiled headers contain GoogleTest, which has this definition.
  target_compile_definitions(${name} PRIVATE ${PROGRAM_DEFINITIONS} GTEST_HAS_PTHREAD=1)
  viewcount_precompile(${name} viewcount_test_headers)
endfunction()

# Tests run beside each other on four places for two cores (tests/run.sh). A test takes two places, so it has a core, or
# one place if it mostly waits. viewcount_place_tests([WAITING name …] [HEAVY name …]) says so for the tests of add_test in
# this folder. HEAVY ones use both cores and take all places.
function(viewcount_place_tests)
  cmake_parse_arguments(PLACE "" "" "WAITING;HEAVY" ${ARGN})
  get_property(names DIRECTORY PROPERTY TESTS)
  foreach(name ${names})
    set_tests_properties(${name} PROPERTIES PROCESSORS 2)
  endforeach()
  if(PLACE_WAITING)
    set_tests_properties(${PLACE_WAITING} PROPERTIES PROCESSORS 1)
  endif()
  if(PLACE_HEAVY)
    set_tests_properties(${PLACE_HEAVY} PROPERTIES PROCESSORS 4)
  endif()
endfunction()

# viewcount_test(NAME SOURCES a.cc … [ADDRESS_ONLY b.cc …] LINKS lib … [DEFINITIONS NAME=value …]
# [SANITIZE address thread] [TIMEOUT seconds]) makes a GoogleTest program. ctest runs each of its tests as a test of its
# own. In a build with a sanitizer the program is one test, because the start of a sanitized process takes longer than
# most tests.
#
# In a build with a sanitizer that SANITIZE names, the target sanitized_tests builds the program, and its tests have the
# label `sanitized`. With VIEWCOUNT_SANITIZED_ELSEWHERE a program that names `address` is not made at all: tests/run.sh
# runs it in the build with that sanitizer only, which saves a fifth of the time. Programs that link gRPC must not name
# `thread`, as Debian's gRPC is not built for it. ADDRESS_ONLY names sources whose tests use a single thread, so the build
# with the thread sanitizer leaves them out.
function(viewcount_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;ADDRESS_ONLY;LINKS;DEFINITIONS;SANITIZE" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  if(VIEWCOUNT_SANITIZED_ELSEWHERE AND "address" IN_LIST TEST_SANITIZE)
    return()
  endif()
  if(NOT VIEWCOUNT_SANITIZE STREQUAL "thread")
    list(APPEND TEST_SOURCES ${TEST_ADDRESS_ONLY})
  endif()
  viewcount_test_program(${name} SOURCES ${TEST_SOURCES} LINKS ${TEST_LINKS} GTest::gtest GTest::gmock GTest::gtest_main
                         DEFINITIONS ${TEST_DEFINITIONS})
  set(properties TIMEOUT ${TEST_TIMEOUT} PROCESSORS 2)
  # The first sanitizer identifies the build, since address comes together with undefined.
  string(REPLACE "," ";" sanitizers "${VIEWCOUNT_SANITIZE}")
  list(POP_FRONT sanitizers sanitizer)
  if(sanitizer IN_LIST TEST_SANITIZE)
    list(APPEND properties LABELS sanitized)
    add_dependencies(sanitized_tests ${name})
  endif()
  if(VIEWCOUNT_SANITIZE)
    list(APPEND properties TIMEOUT 600)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ${properties} ENVIRONMENT "${viewcount_sanitizer_environment}")
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES ${properties})
  endif()
endfunction()

# viewcount_script_test(NAME TIMEOUT seconds [DEPENDS target …]) is for a test of add_test that runs viewcountd. The
# build with the address sanitizer also runs it, with a sanitized viewcountd. The target sanitized_tests builds its
# dependencies.
function(viewcount_script_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "DEPENDS" ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT})
  if(VIEWCOUNT_SANITIZE MATCHES "^address")
    set_property(TEST ${name} APPEND PROPERTY LABELS sanitized)
    # The sanitizer keeps little of the freed memory, since the tests measure memory.
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT ASAN_OPTIONS=quarantine_size_mb=16
                                              ${viewcount_sanitizer_environment})
    add_dependencies(sanitized_tests viewcountd ${TEST_DEPENDS})
  endif()
endfunction()
