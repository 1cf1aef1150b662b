# Writes OUTPUT from TEMPLATE with the version DIT_VERSION and a hash of the
# ARCHIVES, separated by commas. Run by the build; see lib/Version.

string(REPLACE "," ";" archives "${ARCHIVES}")
set(hashes)
foreach(archive IN LISTS archives)
  file(SHA256 ${archive} hash)
  string(APPEND hashes "${hash}")
endforeach()
string(SHA256 DIT_BUILD_ID "${hashes}")
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
