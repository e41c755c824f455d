#!/usr/bin/env bash
# Builds the demonstration portal: the site of a fictitious district that uses viewcount. Needs only bash.
#
#   client/examples/portal/build.sh OUT
#
# OUT then has a front page, a page for each text in articles/, and the files of static/. It also has spa.html, which
# shows the same articles as a single-page application. Links are relative. viewcount is expected at the root of the
# same host, as `viewcountd --demo-dir OUT` serves it. Articles are counted under the paths of their canonical
# addresses: /tin/….html.
set -euo pipefail
out=$(mkdir -p "${1:?usage: build.sh OUT}" && cd "$1" && pwd)
cd "$(dirname "$0")"

declare -rA section_names=([thoi-su]="Thời sự" [kinh-te]="Kinh tế" [van-hoa]="Văn hóa – Xã hội" [thong-bao]="Thông báo")
readonly sections=(thoi-su kinh-te van-hoa thong-bao)
readonly neighbours_max=5

# The articles' data, indexed by article number. The newest article has number 0.
slugs=() dates=() article_sections=() titles=() summaries=() bodies=()

# Escapes text for HTML text and for double-quoted attributes.
escape() {
  local text=$1
  text=${text//&/"&amp;"}
  text=${text//</"&lt;"}
  text=${text//>/"&gt;"}
  printf '%s' "${text//\"/"&quot;"}"
}

# Reads one article: lines `name: value`, an empty line, and paragraphs separated by empty lines.
read_article() {
  local name value line date section='' title='' summary='' body=''
  {
    while IFS= read -r line && [[ -n $line ]]; do
      name=${line%%: *} value=$(escape "${line#*: }")
      case $name in
        section) section=$value ;;
        title) title=$value ;;
        summary) summary=$value ;;
        *) echo "build.sh: $1: what is \"$name\"?" >&2 && return 1 ;;
      esac
    done
    while IFS= read -r line || [[ -n $line ]]; do
      [[ -z $line ]] || body+="<p>$(escape "$line")</p>"$'\n'
    done
  } <"$1"
  [[ -n $title && -n $summary && -n ${section_names[$section]:-} ]] ||
    { echo "build.sh: $1: needs section, title and summary" >&2 && return 1; }
  date=${1##*/}
  slugs+=("${date:9:-4}")
  dates+=("${date:0:4}-${date:4:2}-${date:6:2}")
  article_sections+=("$section")
  titles+=("$title")
  summaries+=("$summary")
  bodies+=("$body")
}

date_text() { printf '<time datetime="%s">%s</time>' "$1" "${1:8:2}/${1:5:2}/${1:0:4}"; }

# `views NUMBER` prints an article's count, for the end of a line. It is out of sight without JavaScript.
views() { printf '<span class="views"> · <span data-viewcount="/tin/%s.html">–</span> lượt xem</span>' "${slugs[$1]}"; }

# `item ROOT NUMBER` prints a headline with its date and count.
item() {
  printf '<li><a href="%stin/%s.html">%s</a> <span class="facts">%s%s</span></li>\n' \
    "$1" "${slugs[$2]}" "${titles[$2]}" "$(date_text "${dates[$2]}")" "$(views "$2")"
}

# `list HEADING ROOT NUMBER…` prints a section of headlines, or nothing if there are none.
list() {
  local heading=$1 root=$2 number
  shift 2
  [[ $# -gt 0 ]] || return 0
  printf '<section aria-label="%s">\n<h2>%s</h2>\n<ul class="headlines">\n' "$heading" "$heading"
  for number in "$@"; do item "$root" "$number"; done
  printf '</ul>\n</section>\n'
}

# `write_page FILE ID TITLE SUMMARY SCRIPTS CONTENT` fills in page.html. The page is counted under ID.
write_page() {
  local page=$template root='' menu='' section
  [[ $1 != */* ]] || root=../
  for section in "${sections[@]}"; do
    menu+="<li><a href=\"${root}index.html#$section\">${section_names[$section]}</a></li>"$'\n'
  done
  page=${page//'{{title}}'/"$3"}
  page=${page//'{{summary}}'/"$4"}
  page=${page//'{{id}}'/"$2"}
  page=${page//'{{pixel}}'/"${2//\//%2F}"}
  page=${page//'{{scripts}}'/"$5"}
  page=${page//'{{sections}}'/"$menu"}
  page=${page//'{{content}}'/"$6"}
  printf '%s' "${page//'{{root}}'/"$root"}" >"$out/$1"
}

write_article() {
  local number=$1 section=${article_sections[$1]} newer=() earlier=() i badge content
  # Both lists begin with the nearest article.
  for ((i = number - 1; i >= 0 && ${#newer[@]} < neighbours_max; --i)); do newer+=("$i"); done
  for ((i = number + 1; i < ${#slugs[@]} && ${#earlier[@]} < neighbours_max; ++i)); do earlier+=("$i"); done
  badge="/v1/sites/demo/badge.svg?lang=vi&amp;label=S%E1%BB%91%20l%C6%B0%E1%BB%A3t%20ng%C6%B0%E1%BB%9Di%20xem"
  content="<article>
<p class=\"section\"><a href=\"../index.html#$section\">${section_names[$section]}</a></p>
<h1>${titles[number]}</h1>
<p class=\"facts\">$(date_text "${dates[number]}")<span class=\"views\"> · Số lượt người xem: <span data-viewcount>–</span></span></p>
<noscript><p><img src=\"$badge&amp;article=%2Ftin%2F${slugs[number]}.html\" alt=\"Số lượt người xem\" height=\"20\"></p></noscript>
<p class=\"summary\">${summaries[number]}</p>
${bodies[number]}</article>
<div class=\"neighbours\">
$(list "Tin mới hơn" ../ "${newer[@]}")
$(list "Tin đã đưa" ../ "${earlier[@]}")
</div>
"
  write_page "tin/${slugs[number]}.html" "/tin/${slugs[number]}.html" "${titles[number]} – Mộc Giang" \
    "${summaries[number]}" "" "$content"
}

write_front_page() {
  local section number content
  content="<h1 class=\"unseen\">Tin tức huyện Mộc Giang</h1>
<div class=\"front\">
<article class=\"lead\">
<img src=\"banner.svg\" alt=\"\" width=\"800\" height=\"300\">
<p class=\"section\"><a href=\"#${article_sections[0]}\">${section_names[${article_sections[0]}]}</a></p>
<h2><a href=\"tin/${slugs[0]}.html\">${titles[0]}</a></h2>
<p>${summaries[0]}</p>
<p class=\"facts\">$(date_text "${dates[0]}")$(views 0)</p>
</article>
<div class=\"sections\">
"
  for section in "${sections[@]}"; do
    content+="<section id=\"$section\" aria-labelledby=\"$section-heading\">
<h2 id=\"$section-heading\">${section_names[$section]}</h2>
<ul class=\"headlines\">
"
    for number in "${!slugs[@]}"; do
      [[ ${article_sections[number]} != "$section" ]] || content+=$(item "" "$number")$'\n'
    done
    content+="</ul>"$'\n'"</section>"$'\n'
  done
  # The list appears late. At the end it moves nothing on phones, and wide screens have a column for it.
  content+="</div>
<section id=\"popular\" aria-labelledby=\"popular-heading\" hidden>
<h2 id=\"popular-heading\">Đọc nhiều nhất</h2>
<ol></ol>
</section>
</div>
"
  write_page index.html / "Cổng thông tin điện tử huyện Mộc Giang" "Tin tức, thông báo của huyện Mộc Giang." \
    '<script defer src="popular.js"></script>'$'\n' "$content"
}

# Writes one page that shows three articles and changes its content and address without loading another page.
write_application() {
  local number content
  content='<h1>Ba bài đọc nhanh</h1>
<nav aria-label="Bài đọc nhanh">
<ul class="headlines">
'
  for number in 0 1 2; do content+=$(item "" "$number")$'\n'; done
  content+='</ul>
</nav>
<div id="reader" aria-live="polite"></div>
'
  write_page spa.html /spa.html "Ba bài đọc nhanh – Mộc Giang" "Ba bài mới nhất, đọc không cần tải lại trang." \
    '<script defer src="spa.js"></script>'$'\n' "$content"
}

template=$(<page.html)$'\n'
articles=(articles/*.txt)
# File names begin with the day, so the last file is the newest article.
for ((i = ${#articles[@]} - 1; i >= 0; --i)); do read_article "${articles[i]}"; done
mkdir -p "$out/tin"
cp static/* "$out"
for number in "${!slugs[@]}"; do write_article "$number"; done
write_front_page
write_application
