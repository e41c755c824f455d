// Tests what each format reads from a line, and how the format of a log is found.
#include <gtest/gtest.h>

#include "client/cli/log_client.h"
#include "client/cli/log_format.h"
#include "client/cli/log_prefix.h"
#include "client/cli/log_text.h"

namespace viewcount::cli {
namespace {

constexpr char kCombined[] =
    R"(192.0.2.1 - - [20/Nov/2026:10:00:01 +0700] "GET /tin/1?a=b HTTP/1.1" 200 5120 "https://example.org/" "Agent 1")";
constexpr char kCommon[] = R"(192.0.2.1 - - [20/Nov/2026:10:00:01 +0700] "GET /tin/1?a=b HTTP/1.1" 200 5120)";
constexpr int64_t kTime = 1'795'143'601'000;

// Returns the format of a log that begins with these lines, or null.
std::unique_ptr<AccessLogFormat> FormatOf(const std::string& head, const std::string& name = "auto",
                                          const std::string& client_field = "") {
  auto format = MakeAccessLogFormat({name, client_field}, head);
  EXPECT_TRUE(format.ok()) << format.status();
  return format.ok() ? *std::move(format) : nullptr;
}

// Returns the request of the last line of a log, whose comments are read first.
LogRequest Read(AccessLogFormat& format, const std::string& log) {
  std::string_view rest = log;
  LogRequest request;
  while (!rest.empty()) {
    const auto line = TakeUntil(rest, '\n');
    request.Clear();
    if (line[0] == '#') {
      format.Comment(line);
    } else {
      EXPECT_EQ(format.Parse(line, request), "") << line;
    }
  }
  return request;
}

// Expects that `auto` finds the format, and that it reads the request that all tests have.
void ExpectRequest(const std::string& log, const std::string& name, const std::string& host = "",
                   const std::string& agent = "Agent 1") {
  SCOPED_TRACE(log);
  const auto format = FormatOf(log);
  ASSERT_NE(format, nullptr);
  EXPECT_EQ(format->name(), name);
  for (const auto& again : {name, std::string("auto")}) {
    const auto request = Read(*FormatOf(log, again), log);
    EXPECT_EQ(request.client.substr(0, 9), "192.0.2.1");
    EXPECT_EQ(request.host, host);
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target.substr(request.target.find("/tin")), "/tin/1?a=b");
    EXPECT_EQ(request.status, 200);
    EXPECT_EQ(request.agent, agent);
    EXPECT_EQ(request.time_unix_ms, kTime);
  }
}

std::string ProblemOf(const std::string& line, const std::string& format) {
  LogRequest request;
  return std::string(FormatOf("", format)->Parse(line, request));
}

TEST(NcsaFormat, CommonCombinedAndVhostAreFound) {
  ExpectRequest(kCommon, "common", "", "");
  ExpectRequest(kCombined, "combined");
  ExpectRequest(std::string(kCombined) + R"( "more" 0.003)", "combined");
  ExpectRequest(std::string("www.example.org ") + kCombined, "vhost", "www.example.org");
  ExpectRequest(std::string("www.example.org:443 ") + kCombined, "vhost", "www.example.org:443");
  ExpectRequest(std::string("198.51.100.1:80 ") + kCombined, "vhost", "198.51.100.1:80");
}

TEST(NcsaFormat, OddButRightLines) {
  for (const char* line : {
           "2001:db8::1 - mary ann [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 -",
           "host.example - [x] \"y\" [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 -",
           "203.0.113.5, 10.0.0.5 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 -",
           "- - - [17/May/2015:10:05:03 +0000] \"GET /a\" 200 -",
       }) {
    const auto format = FormatOf(line);
    ASSERT_NE(format, nullptr) << line;
    EXPECT_EQ(format->name(), "common") << line;
    EXPECT_EQ(Read(*format, line).target, "/a") << line;
  }
  LogRequest request;
  EXPECT_EQ(FormatOf("", "combined")
                ->Parse(R"(192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a b HTTP/1.1" 200 1)", request),
            "");
  EXPECT_EQ(request.target, "/a b");
}

TEST(NcsaFormat, EscapesAreRemoved) {
  const std::string line =
      R"(192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /s\xE1\xBB\x91-\"a\"-\\-\t HTTP/1.1" 200 1 "-" "A \"b\" \x41")";
  const auto request = Read(*FormatOf(line), line);
  EXPECT_EQ(request.target, "/số-\"a\"-\\-\t");
  EXPECT_EQ(request.agent, "A \"b\" A");
}

TEST(NcsaFormat, EveryCutLineIsBadOrWholeInItsFields) {
  const std::string line = kCombined;
  const size_t common = line.find(" \"https");
  for (size_t size = 1; size < line.size(); ++size) {
    // A line that is cut inside the number of bytes is still a whole line of the common format.
    const bool whole = size > line.find(" 5120") + 1 && size <= common + 1;
    EXPECT_EQ(ProblemOf(line.substr(0, size), "combined").empty(), whole) << line.substr(0, size);
  }
}

TEST(IisFormat, ColumnsAreFoundByTheirNames) {
  const std::string head = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n";
  const std::string fields =
      "#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status X-Forwarded-For\n";
  const std::string line = "2026-11-20 03:00:01 GET /tin/1 a=b 192.0.2.1 Agent+1 200 203.0.113.9,+10.0.0.1\n";
  ExpectRequest(head + fields + line, "iis");
  EXPECT_EQ(Read(*FormatOf("", "iis", "x-forwarded-for"), fields + line).named_client, "203.0.113.9, 10.0.0.1");
  // The columns change in the middle of the file, and the date is in a comment.
  const std::string other =
      "#Date: 2026-11-20 03:00:00\n#Fields: time c-ip cs-host cs-method cs-uri-stem sc-status\n"
      "03:00:01 192.0.2.1 www.example.org GET /Shared+Documents/số?#100% 200\n";
  const auto request = Read(*FormatOf("", "iis"), fields + line + other);
  EXPECT_EQ(request.target, "/Shared%20Documents/số%3F%23100%25");
  EXPECT_EQ(request.host, "www.example.org");
  EXPECT_EQ(request.time_unix_ms, kTime);
}

TEST(IisFormat, ProblemsAreNamed) {
  EXPECT_EQ(ProblemOf("2026-11-20 03:00:01 GET /", "iis"), "no line with #Fields comes before it");
  const auto format = FormatOf("", "iis", "X-Real-IP");
  format->Comment("#Fields: date time cs-method cs-uri-stem sc-status c-ip");
  LogRequest request;
  EXPECT_EQ(format->Parse("2026-11-20 03:00:01 GET / 200 192.0.2.1", request),
            "its #Fields line lacks the column of --client-field");
  format->Comment("#Fields: date time cs-method cs-uri-stem sc-status c-ip cs(X-Real-IP)");
  EXPECT_EQ(format->Parse("2026-11-20 03:00:01 GET / 200 192.0.2.1", request),
            "fewer columns than its #Fields line has");
  EXPECT_EQ(format->Parse("2026-11-31 03:00:01 GET / 200 192.0.2.1 -", request), "its time is impossible");
  format->Comment("#Fields: date time cs-uri-stem");
  EXPECT_EQ(format->Parse("2026-11-20 03:00:01 /", request),
            "its #Fields line lacks cs-method, cs-uri-stem or sc-status");
}

TEST(CloudFrontFormat, AgentsAreDecodedOnceOrTwice) {
  for (const char* agent : {"Agent%201", "Agent%25201"}) {
    ExpectRequest(
        std::string(
            "#Version: 1.0\n#Fields: date time c-ip cs-method cs(Host) cs-uri-stem sc-status cs(User-Agent) "
            "cs-uri-query x-host-header\n2026-11-20\t03:00:01\t192.0.2.1\tGET\td1.cloudfront.net\t/tin/1\t200\t") +
            agent + "\ta=b\twww.example.org\n",
        "cloudfront", "www.example.org");
  }
}

TEST(CaddyFormat, TheRequestIsFound) {
  ExpectRequest(
      R"({"level":"info","ts":1795143601.0,"msg":"handled request","request":{"remote_ip":"192.0.2.1","method":"GET",)"
      R"("host":"www.example.org","uri":"/tin/1?a=b","headers":{"User-Agent":["Agent 1"],"X-Forwarded-For":["x"]}},)"
      R"("status":200})",
      "caddy", "www.example.org");
  const std::string line =
      R"({"ts":"2026-11-20T03:00:01.000Z","request":{"remote_addr":"10.0.0.1:9","client_ip":"192.0.2.1","method":"GET",)"
      R"("uri":"/tin/1?a=b","headers":{"user-agent":["Agent 1"],"Cf-Connecting-Ip":["203.0.113.9"]}},"status":200})";
  ExpectRequest(line, "caddy");
  EXPECT_EQ(Read(*FormatOf("", "caddy", "CF-Connecting-IP"), line).named_client, "203.0.113.9");
  EXPECT_EQ(Read(*FormatOf("", "caddy", "remote_addr"), line).named_client, "10.0.0.1:9");
}

TEST(NginxJsonFormat, TheUsualKeysAreFound) {
  for (const char* request :
       {R"("request":"GET /tin/1?a=b HTTP/1.1")", R"("request_method":"GET","request_uri":"/tin/1?a=b")",
        R"("request_method":"GET","uri":"/tin/1","args":"a=b")"}) {
    for (const char* time : {R"("time_iso8601":"2026-11-20T10:00:01+07:00")", R"("msec":"1795143601.000")",
                             R"("msec":1795143601.000)", R"("time_local":"20/Nov/2026:10:00:01 +0700")"}) {
      ExpectRequest(std::string(R"({"remote_addr":"192.0.2.1",)") + request + "," + time +
                        R"(,"status":"200","host":"www.example.org","http_user_agent":"Agent 1"})",
                    "nginx-json", "www.example.org");
    }
  }
  const std::string escaped =
      R"({"remote_addr":"192.0.2.1","request":"GET /s\xE1\xBB\x91 HTTP/1.1","msec":1,"status":200,)"
      R"("http_user_agent":"\x22a\x22 \\x","http_x_forwarded_for":"203.0.113.9"})";
  const auto request = Read(*FormatOf("", "nginx-json", "http_x_forwarded_for"), escaped);
  EXPECT_EQ(request.target, "/số");
  EXPECT_EQ(request.agent, R"("a" \x)");
  EXPECT_EQ(request.named_client, "203.0.113.9");
}

TEST(JsonFormats, LinesThatAreNoRequestsAreBad) {
  for (const char* line : {"", "[]", "{", "{}", R"({"request":1,"status":200,"msec":1})",
                           R"({"request":"GET / HTTP/1.1","status":2000,"msec":1})",
                           R"({"request":"GET / HTTP/1.1","status":200,"msec":-1})",
                           R"({"request":"GET / HTTP/1.1","status":200,"msec":1e300})"}) {
    EXPECT_NE(ProblemOf(line, "nginx-json"), "") << line;
    EXPECT_NE(ProblemOf(line, "caddy"), "") << line;
  }
}

TEST(AlbFormat, TheRequestIsFound) {
  ExpectRequest(
      "h2 2026-11-20T03:00:01.000000Z app/portal/50dc 192.0.2.1:2817 10.0.0.1:80 0.001 0.002 0.000 200 200 34 366 "
      R"("GET https://www.example.org:443/tin/1?a=b HTTP/2.0" "Agent 1" ECDHE TLSv1.2 arn:aws:x "Root=1" "-" "-" 0)",
      "alb", "www.example.org:443");
  EXPECT_NE(ProblemOf("h2 2026-11-20T03:00:01.000000Z app/portal/50dc", "alb"), "");
}

TEST(TemplateFormat, ALogFormatOfNginxIsCompiled) {
  const std::string log_format =
      "$remote_addr - ${remote_user} [$time_local] \"$request\" $status $body_bytes_sent "
      "\"$http_referer\" \"$http_user_agent\" \"$http_x_forwarded_for\" $host";
  const std::string line = std::string(kCombined) + R"( "203.0.113.9, 10.0.0.1" www.example.org)";
  const auto request = Read(*FormatOf("", log_format, "$http_x_forwarded_for"), line);
  EXPECT_EQ(request.client, "192.0.2.1");
  EXPECT_EQ(request.named_client, "203.0.113.9, 10.0.0.1");
  EXPECT_EQ(request.target, "/tin/1?a=b");
  EXPECT_EQ(request.agent, "Agent 1");
  EXPECT_EQ(request.host, "www.example.org");
  EXPECT_EQ(request.time_unix_ms, kTime);
  EXPECT_EQ(Read(*FormatOf("", "$msec|$remote_addr|$request_method|$uri|$args|$status"),
                 "1795143601.000|192.0.2.1|GET|/tin/1|a=b|200")
                .target,
            "/tin/1?a=b");
  EXPECT_EQ(ProblemOf("x", "<$remote_addr $msec $request $status>"), "it does not begin as the log_format does");
  EXPECT_EQ(ProblemOf("<x", "<$remote_addr $msec $request $status>"), "it does not match the log_format");
}

TEST(TemplateFormat, WhatIsMissingIsNamed) {
  const auto message = [](const std::string& format, const std::string& field = "") {
    return std::string(CheckFormatOptions({format, field}).message());
  };
  EXPECT_NE(message("$remote_addr $request $status").find("lacks $time_local, $time_iso8601 or $msec"),
            std::string::npos);
  EXPECT_NE(message("$msec $status").find("$request"), std::string::npos);
  EXPECT_NE(message("$msec $request $remote_addr").find("$status"), std::string::npos);
  EXPECT_NE(message("$msec $request $status").find("$remote_addr"), std::string::npos);
  EXPECT_NE(message("$remote_addr$msec $request $status").find("between $remote_addr"), std::string::npos);
  EXPECT_NE(message("$ $msec").find("without the name"), std::string::npos);
  EXPECT_NE(message("$remote_addr $msec $request $status", "http_x").find("--client-field"), std::string::npos);
  EXPECT_NE(message("apache").find("choose auto"), std::string::npos);
  EXPECT_NE(message("combined", "X-Forwarded-For").find("--client-field last"), std::string::npos);
  EXPECT_NE(message("alb", "x"), "");
  EXPECT_EQ(message("iis", "X-Forwarded-For"), "");
}

TEST(FormatDetection, MostLinesDecideAndNoneGiveNoFormat) {
  EXPECT_EQ(FormatOf("started\n" + std::string(kCombined) + "\n{}\n" + kCombined)->name(), "combined");
  EXPECT_EQ(FormatOf("started\nstopped\n"), nullptr);
  EXPECT_EQ(FormatOf(""), nullptr);
  EXPECT_EQ(FormatOf(std::string("web-1  | ") + kCombined)->name(), "combined");
}

TEST(LogPrefix, PrefixesOfCollectorsAreRemoved) {
  const std::string line = kCombined;
  for (const char* prefix :
       {"nginx-1  | ", "web_1 | ", "\x1b[36mweb-1  | \x1b[0m", "<190>Nov 20 10:00:01 web1 nginx: ",
        "Nov  2 10:00:01 web1 nginx[123]: ", "<190>1 2026-11-20T10:00:01.5+07:00 web1 nginx 12 - - ",
        "<190>1 - web1 nginx - ID47 [x@1 a=\"b ] c\" d=\"\\\"\"][y] ",
        "<190>1 2026-11-20T10:00:01Z - - - - - \xEF\xBB\xBF", "2026-11-20T10:00:01+0700 web1 nginx[1]: ",
        "2026-11-20T10:00:01.123456789Z stdout F ", "2026-11-20T10:00:01.1Z ", "nginx-1  | 2026-11-20T10:00:01.1Z "}) {
    EXPECT_EQ(WithoutPrefixes(prefix + line), line) << prefix;
  }
}

TEST(LogPrefix, OtherLinesStayAsTheyAre) {
  for (const char* line : {kCombined, "", "2026-11-20 03:00:01 GET / - 200", "www.example.org 192.0.2.1 - - [",
                           "Nov 20 is a day", "<b>", "https 2026-11-20T03:00:01.0Z app/x 192.0.2.1:1",
                           "2001:db8::1 - - [", "| x", "web-1 x | y", "192.0.2.1 | x", "192.0.2.1|x"}) {
    EXPECT_EQ(WithoutPrefixes(line), line);
  }
}

TEST(LogClient, WhatIsNoAddressIsNotTakenForOne) {
  for (const char* none : {"", "-", "unknown", "nginx-1", "host.example.org", "1.2.3", "1.2.3.4.5", "256.1.1.1",
                           "web:80", "12:34", "[", "[]:80", ",,", "for=_hidden"}) {
    EXPECT_EQ(AddressOfClient(none), std::nullopt) << none;
  }
  for (const char* one : {"192.0.2.1", "192.0.2.1:80", "-, 192.0.2.1", " 192.0.2.1 ,198.51.100.1", "\"192.0.2.1\"",
                          "For=\"192.0.2.1:80\"", "by=10.0.0.1;for=192.0.2.1"}) {
    EXPECT_EQ(AddressOfClient(one), boost::asio::ip::make_address("192.0.2.1")) << one;
  }
  for (const char* six : {"2001:db8::1", "[2001:db8::1]", "[2001:DB8:0:0:0::1]:443", "2001:db8::1%eth0"}) {
    EXPECT_EQ(AddressOfClient(six), boost::asio::ip::make_address("2001:db8::1")) << six;
  }
  EXPECT_TRUE(IsHostName("crawl-66-249.example.org"));
  for (const char* none : {"nginx-1", "1.2.3", "a.", ".a", "a b.c", "x.1"}) EXPECT_FALSE(IsHostName(none)) << none;
}

TEST(LogText, EscapesAreRemovedAndUnknownOnesStay) {
  const auto unescaped = [](std::string_view text) {
    std::string to;
    Unescape(text, to);
    return to;
  };
  EXPECT_EQ(unescaped(R"(a\x41\x4a\"\\\t\n\/\u1ED1)"), "aAJ\"\\\t\n/ố");
  EXPECT_EQ(unescaped(R"(\xZZ\x4\q\)"), R"(\xZZ\x4\q\)");
  std::string decoded;
  DecodePercent("a%20b%zz%4%E1%BB%91%", decoded);
  EXPECT_EQ(decoded, "a b%zz%4ố%");
}

}  // namespace
}  // namespace viewcount::cli
