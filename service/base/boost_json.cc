// Compiles Boost.JSON into this library. Debian 12 has it as headers; the compiled library is a package of its own.
#include <boost/json/src.hpp>
