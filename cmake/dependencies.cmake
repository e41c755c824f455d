# All dependencies are Debian 12 packages. deploy/packages.txt lists those of the service and the clients,
# tests/packages.txt all others.
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
find_package(LibLZMA REQUIRED)
find_package(EXPAT REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(PkgConfig REQUIRED)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(libre2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)

# cmake/npm.cmake needs these programs. They are checked by hand, since the message of REQUIRED would not name the
# missing package.
find_program(VIEWCOUNT_NPM npm)
find_program(VIEWCOUNT_NODE node)
if(NOT VIEWCOUNT_NPM OR NOT VIEWCOUNT_NODE)
  message(FATAL_ERROR "npm or node is missing: the build takes the list of bots from npm. Install Debian's package npm, "
                      "which brings both: deploy/install_packages.sh deploy/packages.txt")
endif()

if(VIEWCOUNT_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
endif()
