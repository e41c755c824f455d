# Writes a file as a C++ string literal of the given name:
#
#   cmake -DINPUT=file -DOUTPUT=file.h -DVARIABLE=kName [-DSTRIP_COMMENTS=ON] -P embed_text.cmake
#
# With STRIP_COMMENTS it removes indentation and the lines that are JavaScript comments.
file(READ ${INPUT} text)
if(STRIP_COMMENTS)
  string(REGEX REPLACE "(^|\n)[ \t]+" "\\1" text "${text}")
  string(REGEX REPLACE "(^|\n)(//[^\n]*\n)+" "\\1" text "${text}")
  string(REGEX REPLACE "\n\n+" "\n" text "${text}")
endif()
file(WRITE ${OUTPUT} "#pragma once\n\nnamespace viewcount {\ninline constexpr char ${VARIABLE}[] = R\"text(${text})text\";\n}\n")
