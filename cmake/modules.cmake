# viewcount_module(NAME SOURCES a.cc … LINKS lib …) makes the library viewcount_NAME from a folder of service/ or client/.
# Such a folder is called a module.
function(viewcount_module name)
  cmake_parse_arguments(MODULE "" "" "SOURCES;LINKS" ${ARGN})
  add_library(viewcount_${name} STATIC ${MODULE_SOURCES})
  target_link_libraries(viewcount_${name} PUBLIC ${MODULE_LINKS} PRIVATE $<BUILD_INTERFACE:viewcount_options>)
  target_include_directories(viewcount_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
endfunction()

# viewcount_embed(HEADER FILE VARIABLE [STRIP_COMMENTS]) writes a header into the build folder, with the file as a C++
# string literal. Paths are relative to the source folder.
function(viewcount_embed header file variable)
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake)
  cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE input)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${header})
  set(strip OFF)
  if("STRIP_COMMENTS" IN_LIST ARGN)
    set(strip ON)
  endif()
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${input} -DOUTPUT=${output} -DVARIABLE=${variable} -DSTRIP_COMMENTS=${strip}
            -P ${script}
    DEPENDS ${input} ${script})
endfunction()

add_custom_target(sanitized_tests)

# viewcount_test(NAME SOURCES a.cc … LINKS lib … [SANITIZE address thread] [SERIAL]) makes a GoogleTest program. ctest
# runs each of its tests as a test of its own.
#
# In a build with a sanitizer that SANITIZE names, the target sanitized_tests builds the program, and its tests have the
# label `sanitized`. With VIEWCOUNT_SANITIZED_ELSEWHERE a program that names `address` is not made at all: tests/run.sh
# runs it in the build with that sanitizer only, which saves a fifth of the time. Programs that link gRPC must not name `thread`, as Debian's gRPC is not built for it.
function(viewcount_test name)
  cmake_parse_arguments(TEST "SERIAL" "TIMEOUT" "SOURCES;LINKS;SANITIZE" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  if(VIEWCOUNT_SANITIZED_ELSEWHERE AND "address" IN_LIST TEST_SANITIZE)
    return()
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LINKS} GTest::gtest GTest::gmock GTest::gtest_main viewcount_options)
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
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES ${properties})
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
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT ASAN_OPTIONS=quarantine_size_mb=16)
    add_dependencies(sanitized_tests viewcountd ${TEST_DEPENDS})
  endif()
endfunction()
