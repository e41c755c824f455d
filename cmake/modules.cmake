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

add_library(viewcount_module_headers OBJECT EXCLUDE_FROM_ALL ${empty_source})
target_precompile_headers(viewcount_module_headers PRIVATE ${precompiled_headers})
target_link_libraries(viewcount_module_headers PRIVATE viewcount_options)
target_compile_definitions(viewcount_module_headers PRIVATE ${common_definitions})
target_compile_options(viewcount_module_headers PRIVATE ${viewcount_module_options})

# viewcount_module(NAME SOURCES a.cc … LINKS lib …) makes the library viewcount_NAME from a folder of service/ or client/.
# Such a folder is called a module.
function(viewcount_module name)
  cmake_parse_arguments(MODULE "" "" "SOURCES;LINKS" ${ARGN})
  add_library(viewcount_${name} STATIC ${MODULE_SOURCES})
  target_link_libraries(viewcount_${name} PUBLIC ${MODULE_LINKS} PRIVATE $<BUILD_INTERFACE:viewcount_options>)
  target_include_directories(viewcount_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  target_compile_options(viewcount_${name} PRIVATE ${viewcount_module_options})
  viewcount_precompile(viewcount_${name} viewcount_module_headers)
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

# viewcount_test(NAME SOURCES a.cc … [ADDRESS_ONLY b.cc …] LINKS lib … [DEFINITIONS NAME=value …]
# [SANITIZE address thread] [SERIAL]) makes a GoogleTest program. ctest runs each of its tests as a test of its own. In a build with a sanitizer the program is one test, because the start of a
# sanitized process takes longer than most tests.
#
# In a build with a sanitizer that SANITIZE names, the target sanitized_tests builds the program, and its tests have the
# label `sanitized`. With VIEWCOUNT_SANITIZED_ELSEWHERE a program that names `address` is not made at all: tests/run.sh
# runs it in the build with that sanitizer only, which saves a fifth of the time. Programs that link gRPC must not name
# `thread`, as Debian's gRPC is not built for it. ADDRESS_ONLY names sources whose tests use a single thread, so the build
# with the thread sanitizer leaves them out.
function(viewcount_test name)
  cmake_parse_arguments(TEST "SERIAL" "TIMEOUT" "SOURCES;ADDRESS_ONLY;LINKS;DEFINITIONS;SANITIZE" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  if(VIEWCOUNT_SANITIZED_ELSEWHERE AND "address" IN_LIST TEST_SANITIZE)
    return()
  endif()
  if(NOT VIEWCOUNT_SANITIZE STREQUAL "thread")
    list(APPEND TEST_SOURCES ${TEST_ADDRESS_ONLY})
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LINKS} GTest::gtest GTest::gmock GTest::gtest_main viewcount_options)
  target_compile_options(${name} PRIVATE ${viewcount_test_options})
  target_compile_definitions(${name} PRIVATE ${TEST_DEFINITIONS})
  viewcount_precompile(${name} viewcount_test_headers)
  set(properties TIMEOUT ${TEST_TIMEOUT})
  if(TEST_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
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
