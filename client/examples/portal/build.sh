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

# shellcheck source=client/examples/portal/section_names.sh
source section_names.sh
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

# `date_text DATE [CLASS]` prints a date.
date_text() {
  printf '<time datetime="%s"%s>%s</time>' "$1" "${2:+ class=\"$2\"}" "${1:8:2}/${1:5:2}/${1:0:4}"
}

# `views NUMBER` prints an article's count, for the end of a line. It is out of sight without JavaScript.
views() { printf '<span class="views"> · <span data-viewcount="/tin/%s.html">–</span> lượt xem</span>' "${slugs[$1]}"; }

# `item ROOT NUMBER` prints a headline with its date and count.
item() {
  printf '<li><a href="%stin/%s.html">%s</a> <span class="facts">%s%s</span></li>\n' \
    "$1" "${slugs[$2]}" "${titles[$2]}" "$(date_text "${dates[$2]}")" "$(views "$2")"
}

# `neighbours HEADING ATTRIBUTE NUMBER…` prints a list that count.js fills. Until then, and without JavaScript, it has
# the articles that were known when the page was built. The style hides it while it is empty.
neighbours() {
  local heading=$1 attribute=$2 number
  shift 2
  printf '<section aria-label="%s">\n<h2>%s</h2>\n<ul class="headlines" %s>' "$heading" "$heading" "$attribute"
  for number in "$@"; do
    printf '<li class="viewcount-item"><a class="viewcount-title" href="%s.html">%s</a> %s</li>\n' \
      "${slugs[number]}" "${titles[number]}" "$(date_text "${dates[number]}" viewcount-date)"
  done
  printf '</ul>\n</section>\n'
}

# `popular HEADING ID ATTRIBUTES` prints a list of the most viewed articles, which count.js fills. Without the language
# it would have articles that other programs count on this site.
popular() {
  printf '<div>\n<h3 id="%s">%s</h3>\n<ol aria-labelledby="%s" data-viewcount-popular data-language="vi" %s></ol>\n</div>\n' \
    "$2" "$1" "$2" "$3"
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
  local in_section="data-section=\"${section_names[$section]}\" data-limit=\"5\""
  badge="/v1/sites/demo/badge.svg?lang=vi&amp;label=S%E1%BB%91%20l%C6%B0%E1%BB%A3t%20ng%C6%B0%E1%BB%9Di%20xem"
  content="<article>
<p class=\"section\"><a href=\"../index.html#$section\">${section_names[$section]}</a></p>
<h1>${titles[number]}</h1>
<p class=\"facts\">$(date_text "${dates[number]}")<span class=\"views\"> · Số lượt người xem: <span data-viewcount>–</span></span></p>
<noscript><p><img src=\"$badge&amp;article=%2Ftin%2F${slugs[number]}.html\" alt=\"Số lượt người xem\" height=\"20\"></p></noscript>
<p class=\"summary\">${summaries[number]}</p>
${bodies[number]}</article>
<div class=\"neighbours\">
$(neighbours "Tin mới hơn" data-viewcount-newer "${newer[@]}")
$(neighbours "Tin đã đưa" data-viewcount-earlier "${earlier[@]}")
</div>
<section class=\"popular\" aria-labelledby=\"popular-heading\">
<h2 id=\"popular-heading\">Đọc nhiều nhất: ${section_names[$section]}</h2>
$(popular "7 ngày qua" popular-week "$in_section data-window=\"7d\"")
$(popular "Từ trước đến nay" popular-all "$in_section data-window=\"all\"")
</section>
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
  # The lists appear late. At the end they move nothing on phones, and wide screens have a column for them.
  content+="</div>
<section class=\"popular\" aria-labelledby=\"popular-heading\">
<h2 id=\"popular-heading\">Đọc nhiều nhất</h2>
$(popular "24 giờ qua" popular-day "data-limit=\"5\"")
$(popular "7 ngày qua" popular-week "data-window=\"7d\" data-limit=\"5\"")
$(popular "Từ trước đến nay" popular-all "data-window=\"all\" data-limit=\"5\"")
</section>
</div>
"
  write_page index.html / "Cổng thông tin điện tử huyện Mộc Giang" "Tin tức, thông báo của huyện Mộc Giang." \
    "" "$content"
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
