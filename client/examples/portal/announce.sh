#!/usr/bin/env bash
# Announces the portal's articles, so that lists have their titles, addresses, sections and times of publication.
#
#   client/examples/portal/announce.sh VIEWCOUNT [FLAG…]
#
# VIEWCOUNT is the command, and FLAGs say which service and site, such as --server 127.0.0.1:7400 --site demo. A portal
# does the same when it publishes or changes an article. Pages that are no articles are hidden from lists.
set -euo pipefail
viewcount=("${@:?usage: announce.sh VIEWCOUNT [FLAG…]}")
[[ ${viewcount[0]} != */* ]] || viewcount[0]=$(realpath "${viewcount[0]}")
cd "$(dirname "$0")"
# shellcheck source=client/examples/portal/section_names.sh
source section_names.sh

for file in articles/*.txt; do
  name=${file##*/}
  name=${name%.txt}
  slug=${name:9}
  section=$(sed -n 's/^section: //p;/^$/q' "$file")
  title=$(sed -n 's/^title: //p;/^$/q' "$file")
  "${viewcount[@]}" announce "/tin/$slug.html" --title "$title" --url "/demo/tin/$slug.html" --language vi \
    --section "${section_names[$section]}" --published "${name:0:4}-${name:4:2}-${name:6:2}T08:00:00+07:00" >/dev/null
done
"${viewcount[@]}" announce / /spa.html --language vi --hidden >/dev/null
