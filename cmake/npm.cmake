# viewcount_npm(FILE …): what this folder's package-lock.json names, fetched from npm into the build's node_modules of the
# same folder; the FILEs are some of it, such as node_modules/NAME/list.json. It is fetched again only when the lock file
# changes. Nothing that a package brings is run.
function(viewcount_npm)
  set(inputs package.json package-lock.json)
  list(TRANSFORM inputs PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_BINARY_DIR}/ OUTPUT_VARIABLE outputs)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -E copy ${inputs} ${CMAKE_CURRENT_BINARY_DIR}
    COMMAND ${VIEWCOUNT_NPM} ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
    # Whatever time of change the package's author or npm gave them.
    COMMAND ${CMAKE_COMMAND} -E touch ${outputs}
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
    DEPENDS ${inputs}
    COMMENT "Fetching what ${CMAKE_CURRENT_SOURCE_DIR}/package-lock.json names"
    VERBATIM)
endfunction()
