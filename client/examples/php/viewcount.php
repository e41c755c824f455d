<?php
// A client of viewcount over HTTP for PHP pages, which needs nothing but PHP itself. Copy this file to the folder of
// your pages. The file page.php shows how to use it.
//
// It never delays a page for long. All requests of one page together wait for at most SECONDS_MAX, and after a failure
// no more requests are sent. Give the service's address as a number, or keep its name in /etc/hosts. PHP's own look-up
// of a name has no time limit.
declare(strict_types=1);

final class Viewcount
{
    // The time in seconds that all requests of one page may wait together. The service answers a view when it is on the
    // service's disk, which takes some milliseconds.
    private const SECONDS_MAX = 0.2;
    // The largest size of one answer. A request names at most 1,000 articles, whose IDs have at most 512 bytes each.
    private const ANSWER_BYTES_MAX = 1 << 20;

    private float $secondsLeft = self::SECONDS_MAX;

    // `$address` is HOST:PORT of viewcountd's --backend-address, which is for the portal's own servers.
    public function __construct(private readonly string $address, private readonly string $site)
    {
    }

    // Reports one view of the article by the visitor of this request. Returns false if it was not acknowledged. The
    // view is not sent again in that case, because it may have been counted nevertheless.
    public function record(string $articleId): bool
    {
        // The service sees this server as its client. These fields tell it the visitor's address and agent, so it can
        // distinguish people from bots. It believes them at its backend address only. The addresses before the last one
        // were written by a proxy in front of PHP. The service uses them if --trusted-proxies names that proxy.
        $way = array_filter([$_SERVER['HTTP_X_FORWARDED_FOR'] ?? '', $_SERVER['REMOTE_ADDR'] ?? '']);
        $fields = [
            'X-Viewcount-Visitor-Address' => implode(', ', $way),
            'X-Viewcount-Visitor-Agent' => $_SERVER['HTTP_USER_AGENT'] ?? '',
        ];
        return $this->post('views', ['articleId' => $articleId], $fields) !== null;
    }

    // Returns the counts of up to 1,000 articles by ID, using one request. Returns an empty array if the service does
    // not answer with counts.
    public function counts(array $articleIds): array
    {
        $answer = $this->post('counts:batchGet', ['articleIds' => array_values($articleIds)]);
        $counts = [];
        foreach ($answer['counts'] ?? [] as $count) {
            // JSON represents 64-bit numbers as strings.
            $counts[$count['articleId']] = (int) $count['views'];
        }
        return $counts;
    }

    private function post(string $path, array $message, array $fields = []): ?array
    {
        $body = json_encode($message, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
        $fields += ['Host' => $this->address, 'Content-Type' => 'application/json', 'Content-Length' => strlen($body)];
        // With HTTP/1.0 the answer ends with the connection, and it is not divided into chunks.
        $request = 'POST /v1/sites/' . rawurlencode($this->site) . "/$path HTTP/1.0\r\n";
        foreach (array_filter($fields, fn ($value) => $value !== '') as $name => $value) {
            // Control characters are replaced, so that no field can end early and begin another one.
            $request .= "$name: " . preg_replace('/[\x00-\x1f\x7f]/', ' ', (string) $value) . "\r\n";
        }
        $began = hrtime(true);
        $answer = $this->exchange("$request\r\n$body", $began + (int) ($this->secondsLeft * 1e9));
        $this->secondsLeft -= (hrtime(true) - $began) / 1e9;
        if ($answer === null) {
            $this->secondsLeft = 0;
            return null;
        }
        [$head, $body] = explode("\r\n\r\n", $answer, 2) + ['', ''];
        if (!preg_match('~^HTTP/1\.[01] 200 ~', $head)) {
            return null;
        }
        $decoded = json_decode($body, true);
        return is_array($decoded) ? $decoded : null;
    }

    // Sends the request and reads the answer to its end. `$deadline` is a time of hrtime(). Returns null on failure.
    private function exchange(string $request, int $deadline): ?string
    {
        $left = ($deadline - hrtime(true)) / 1e9;
        // The warning is suppressed, because the page does not care whether the service refuses connections or is
        // unreachable.
        $stream = $left > 0 ? @stream_socket_client("tcp://$this->address", $code, $text, $left) : false;
        if ($stream === false) {
            return null;
        }
        stream_set_blocking($stream, false);
        $answer = '';
        while (!feof($stream) && strlen($answer) <= self::ANSWER_BYTES_MAX) {
            $left = intdiv($deadline - hrtime(true), 1000);
            $readable = [$stream];
            $writable = $request === '' ? [] : [$stream];
            $others = [];
            if ($left <= 0 || @stream_select($readable, $writable, $others, 0, $left) === false) {
                return null;
            }
            if ($writable !== []) {
                $request = substr($request, (int) @fwrite($stream, $request));
            }
            $answer .= (string) @fread($stream, 65536);
        }
        return $answer;
    }
}
