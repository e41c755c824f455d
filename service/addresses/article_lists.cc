#include "service/addresses/article_rule.h"

namespace viewcount {

const std::vector<std::string>& DefaultArticleParameters() {
  // The names that portals and their systems commonly use.
  static const std::vector<std::string> names = {"id", "ItemID", "ArticleID", "NewsID", "PostID", "nid", "aid", "p"};
  return names;
}

const std::vector<std::string>& WellKnownPaths() {
  static const std::vector<std::string> paths = {"/feed/",      "/wp-json/*",     "/wp-login.php", "/wp-cron.php",
                                                 "/xmlrpc.php", "/.well-known/*", "/healthz",      "/server-status"};
  return paths;
}

const std::vector<std::string>& StaticExtensions() {
  // In ascending order.
  static const std::vector<std::string> extensions = {
      "7z",   "aac",   "access-log", "ai",     "aif",     "apk",  "apng",        "appcache", "asc",     "atom",
      "avi",  "avif",  "avro",       "bak",    "bin",     "bmp",  "br",          "bz2",      "c",       "cab",
      "cc",   "cer",   "cfg",        "class",  "conf",    "cpp",  "crl",         "crt",      "crx",     "css",
      "csv",  "cue",   "cur",        "dat",    "db",      "deb",  "diff",        "djvu",     "dll",     "dmg",
      "doc",  "docm",  "docx",       "dot",    "dotx",    "dwg",  "eot",         "eps",      "epub",    "exe",
      "f4v",  "feed",  "fits",       "flac",   "flv",     "font", "gem",         "geojson",  "gif",     "gpx",
      "gz",   "h",     "heic",       "heif",   "hpp",     "ico",  "ics",         "img",      "ini",     "ipa",
      "iso",  "jar",   "jav",        "java",   "jfif",    "jp2",  "jpe",         "jpeg",     "jpg",     "js",
      "json", "json5", "jsonl",      "jsonld", "key",     "kml",  "kmz",         "less",     "list",    "lnk",
      "lock", "log",   "lua",        "lz4",    "lzma",    "m3u",  "m3u8",        "m4",       "m4a",     "m4s",
      "m4v",  "map",   "markdown",   "md",     "md5",     "mid",  "mjs",         "mk",       "mkv",     "mov",
      "mp2",  "mp3",   "mp4",        "mpd",    "mpeg",    "mpg",  "msi",         "odp",      "ods",     "odt",
      "oga",  "ogg",   "ogv",        "opml",   "opus",    "otf",  "p12",         "p7b",      "parquet", "patch",
      "pb",   "pcap",  "pcapng",     "pdf",    "pem",     "pict", "pkg",         "pl",       "png",     "pom",
      "ppt",  "pptx",  "ps",         "psd",    "py",      "pyc",  "rar",         "raw",      "rb",      "rdf",
      "rm",   "rpm",   "rss",        "rtf",    "sass",    "scss", "sh",          "sha1",     "sha256",  "sig",
      "spec", "sql",   "sqlite",     "srt",    "svg",     "svgz", "swf",         "tar",      "tbz",     "tex",
      "tgz",  "tif",   "tiff",       "toml",   "torrent", "ts",   "ttf",         "txt",      "txz",     "vcf",
      "vim",  "vtt",   "war",        "wasm",   "wav",     "webm", "webmanifest", "webp",     "whl",     "wma",
      "wmv",  "woff",  "woff2",      "xls",    "xlsm",    "xlsx", "xml",         "xpi",      "xs",      "xsd",
      "xsl",  "xslt",  "xz",         "yaml",   "yml",     "z",    "zip",         "zst"};
  return extensions;
}

}  // namespace viewcount
