# shellcheck shell=bash
# The sections of the portal: their names by the word that the texts of articles have.
# shellcheck disable=SC2034  # used by the scripts that read this file
declare -rA section_names=([thoi-su]="Thời sự" [kinh-te]="Kinh tế" [van-hoa]="Văn hóa – Xã hội" [thong-bao]="Thông báo")
