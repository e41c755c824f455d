# Compiler settings. This project's targets get them by linking viewcount_options; generated code does not.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# A release keeps debug information, so that the stacks in bug reports are readable.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
# This build type is for the presets asan and tsan, whose compiler is clang. To optimise a module with sanitizers takes
# more time than its tests save. Fuzzers repeat theirs for as long as they run, so the modules that they test are
# optimised (FUZZED in modules.cmake).
set(CMAKE_CXX_FLAGS_SANITIZE "-g1")

# Since version 18 clang writes a template's constraints into its mangled name. g++ 12, which built Debian's Abseil,
# does not.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 18)
  add_compile_options(-fclang-abi-compat=17)
endif()

# Objects are the same wherever the checkout lies. So a second clone is built from the ccache entries of the first one.
# The last setting and the two options are the conditions of ccache's manual for precompiled headers.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  else()
    add_compile_options(-fpch-preprocess)
  endif()
endif()

# The linker takes a tenth of the time of a build with tests, and mold is ten times as fast. A build without tests, which
# is shipped, uses the system's linker.
find_program(VIEWCOUNT_MOLD mold)
if(VIEWCOUNT_TESTS AND VIEWCOUNT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

include(CheckPIESupported)
check_pie_supported()

add_library(viewcount_options INTERFACE)
target_include_directories(viewcount_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(viewcount_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                   -Wimplicit-fallthrough -Werror)
# These are compiled into the precompiled headers, so all targets have their options.
target_link_libraries(viewcount_options INTERFACE fmt::fmt Threads::Threads)
target_compile_options(viewcount_options INTERFACE -pthread)
# A designated initializer leaves the remaining fields to their defaults on purpose.
target_compile_options(viewcount_options INTERFACE -Wno-missing-field-initializers)

# libstdc++ 12 itself uses what it calls deprecated, and clang reports it where stable_sort is called. Only clang checks
# that mutexes are held where the annotations of service/base/mutex.h require it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(viewcount_options INTERFACE -Wno-deprecated-declarations -Wthread-safety)
endif()

# With inlined coroutines g++ 12 gives false warnings: it mistakes which function allocated a coroutine's frame.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(viewcount_options INTERFACE -Wno-mismatched-new-delete)
endif()

# A file that is not the main one of its unit may hold an anonymous namespace all the same: each is in one unit only.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(viewcount_options INTERFACE -Wno-subobject-linkage)
endif()

if(VIEWCOUNT_SANITIZE)
  add_compile_options(-fsanitize=${VIEWCOUNT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VIEWCOUNT_SANITIZE})
  # GCC's flow analysis gives false warnings for instrumented code.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(viewcount_options INTERFACE -Wno-maybe-uninitialized -Wno-tsan)
  endif()
  # These checks are half of the time of a build. An access to null ends a program without them, too, and the others find
  # little that the address sanitizer does not.
  if(VIEWCOUNT_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=alignment,null,object-size,vptr)
  endif()
  # Without it the stacks in reports are addresses. The runtime library searches for a program without a version in its
  # name.
  find_program(VIEWCOUNT_SYMBOLIZER llvm-symbolizer-19)
  if(VIEWCOUNT_SYMBOLIZER)
    set(viewcount_sanitizer_environment ASAN_SYMBOLIZER_PATH=${VIEWCOUNT_SYMBOLIZER}
                                        TSAN_SYMBOLIZER_PATH=${VIEWCOUNT_SYMBOLIZER}
                                        UBSAN_SYMBOLIZER_PATH=${VIEWCOUNT_SYMBOLIZER})
  endif()
  # libFuzzer is a part of clang. The modules that it tests report to it which code an input reached.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND VIEWCOUNT_SANITIZE MATCHES "^address")
    set(VIEWCOUNT_FUZZ ON)
    set(viewcount_fuzzed_options -O1 -fsanitize=fuzzer-no-link)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # A better optimised test takes a third longer to compile, and saves little.
  set(viewcount_test_options -O1)
  # g++ 12 takes the sum of a std::string and a literal for an access beyond its bounds (GCC's bugs 105329 and 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND viewcount_test_options -Wno-array-bounds -Wno-restrict)
  endif()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    add_compile_options(-fcf-protection)
  endif()
  add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack)
endif()
