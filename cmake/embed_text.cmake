# Writes a file as a C++ string literal of the given name:
#
#   cmake -DINPUT=file -DOUTPUT=file.h -DVARIABLE=kName [-DSTRIP=ON] -P embed_text.cmake
#
# With STRIP it removes what JavaScript does not need: indentation, lines that are comments, and blanks around
# operators. No string of the file may contain an operator between blanks.
file(READ ${INPUT} text)
if(STRIP)
  string(REGEX REPLACE "(^|\n)[ \t]+" "\\1" text "${text}")
  string(REGEX REPLACE "(^|\n)(//[^\n]*\n)+" "\\1" text "${text}")
  string(REGEX REPLACE "\n\n+" "\n" text "${text}")
  string(REGEX REPLACE " (=>|[=!]==|[<>]=|&&|[|][|]|[=?:+<>]) " "\\1" text "${text}")
endif()
file(WRITE ${OUTPUT} "#pragma once\n\nnamespace viewcount {\ninline constexpr char ${VARIABLE}[] = R\"text(${text})text\";\n}\n")
