# cmake -DINPUT=a.lua -DOUTPUT=a_lua.h -P embed_script.cmake: the file as a C++ string literal named after it.
get_filename_component(name ${INPUT} NAME_WE)
file(READ ${INPUT} text)
string(TOUPPER ${name} first)
string(SUBSTRING ${first} 0 1 first)
string(SUBSTRING ${name} 1 -1 rest)
file(WRITE ${OUTPUT} "#pragma once\n\nnamespace viewcount {\ninline constexpr char k${first}${rest}Lua[] = R\"lua(${text})lua\";\n}\n")
